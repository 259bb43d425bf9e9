/** What the gateway has answered, as people read it. */

export interface AnswerView {
  readonly view: DocumentFragment;
  /** Null when it was no JSON object. */
  readonly json: Readonly<Record<string, unknown>> | null;
}

/** A body is shown up to here. */
const longest = 20_000;

export async function answerView(method: string, target: string, response: Response): Promise<AnswerView> {
  const view = document.createDocumentFragment();
  const line = document.createElement("p");
  line.className = "line";
  const status = document.createElement("span");
  status.className = response.ok ? "status" : "status failed";
  status.textContent = String(response.status);
  const request = document.createElement("code");
  request.textContent = `${method} ${target}`;
  line.append(status, " ", request);
  view.append(line);
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("text/event-stream")) {
    await response.body?.cancel();
    view.append(paragraph("A stream without an end; its events are listed beside this."));
  } else if (type.startsWith("application/json")) {
    const json: unknown = await response.json();
    view.append(...bodyOf(json), headersOf(response));
    return { view, json: isObject(json) ? json : null };
  } else if (type.startsWith("text/")) view.append(preformatted((await response.text()).slice(0, longest)));
  else if (type !== "") view.append(paragraph(`${(await response.arrayBuffer()).byteLength} bytes of ${type}.`));
  else view.append(paragraph("Without a body."));
  view.append(headersOf(response));
  return { view, json: null };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bodyOf(json: unknown): Node[] {
  const pre = preformatted(JSON.stringify(json, null, 2).slice(0, longest));
  if (!isObject(json) || typeof json.code !== "string") return [pre];
  const more = document.createElement("p");
  const link = document.createElement("a");
  link.href = `/docs/errors/${encodeURIComponent(json.code)}`;
  link.textContent = "What it means and what to do";
  more.append(link);
  return [pre, more];
}

function headersOf({ headers }: Response): HTMLElement {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "Headers";
  details.append(summary, preformatted([...headers].map(([name, value]) => `${name}: ${value}`).join("\n")));
  return details;
}

function preformatted(text: string): HTMLElement {
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = text;
  return pre;
}

function paragraph(text: string): HTMLElement {
  const line = document.createElement("p");
  line.textContent = text;
  return line;
}
