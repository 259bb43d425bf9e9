/** Sends what the forms of a page say to the gateway that serves it, and shows what comes of it. */
import { answerView } from "./answer";
import { Cause } from "./causes";
import { EventList } from "./event_list";
import { type Credentials, credentials, type KnownId, keepCredentials, remember, rememberedId } from "./memory";
import { EventStream } from "./stream";

const panel = document.querySelector<HTMLElement>(".live");
const state = panel?.querySelector<HTMLElement>(".state") ?? null;
const forms = [...document.querySelectorAll<HTMLFormElement>("form.request")];

/** Parameters of paths by what they are called elsewhere. */
const ids: Readonly<Record<string, KnownId>> = {
  uuid: "session_uuid",
  room_id: "room_id",
  recording_id: "recording_id",
};

const list = new EventList(panel?.querySelector<HTMLElement>(".events") ?? document.createElement("ol"));
const stream = new EventStream({
  event(event) {
    remember(event);
    remember(event.data);
    list.add(event);
    fill();
  },
  ended: (why) => say(why),
});

function say(text: string): void {
  if (state) state.textContent = text;
}

function headersFor(auth: string | undefined): Record<string, string> {
  const { app, key, admin } = credentials();
  if (auth === "app") return { "X-App-ID": app, "X-API-Key": key };
  return auth === "admin" ? { "X-Admin-API-Key": admin } : {};
}

/** Puts in what is known by now, where nobody has written anything else. */
function fill(): void {
  for (const form of forms) {
    for (const input of form.querySelectorAll<HTMLInputElement>("input[data-in]")) {
      const id = ids[input.name];
      const value = id ? rememberedId(id) : input.name === "app_id" ? credentials().app : null;
      if (value !== null) put(input, value);
    }
    for (const area of form.querySelectorAll("textarea")) put(area, bodyOf(area));
  }
}

function put(field: HTMLInputElement | HTMLTextAreaElement, value: string): void {
  const untouched = field.value === (field.dataset.put ?? field.defaultValue);
  if (!untouched) return;
  field.value = value;
  field.dataset.put = value;
}

/** The example of the page with what exists here. */
function bodyOf(area: HTMLTextAreaElement): string {
  return area.defaultValue
    .replaceAll("{origin}", location.origin)
    .replace(/("(session_uuid|room_id)": )"[^"]*"/g, (whole, name: string, id: string) => {
      const value = id === "session_uuid" ? rememberedId("session_uuid") : rememberedId("room_id");
      return value === null ? whole : `${name}${JSON.stringify(value)}`;
    });
}

function targetOf(form: HTMLFormElement): string {
  let path = form.dataset.path ?? "";
  const query = new URLSearchParams();
  for (const { name, value, dataset } of form.querySelectorAll<HTMLInputElement>("input[data-in]")) {
    if (dataset.in === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value !== "") query.set(name, value);
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

/** The fields of a JSON object that are texts; of anything else none. */
function textsOf(body: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // The gateway says what is wrong with it.
    return {};
  }
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

async function send(form: HTMLFormElement): Promise<void> {
  const { method = "GET", auth, emits = "" } = form.dataset;
  const answer = form.querySelector<HTMLElement>(".answer");
  const body = form.querySelector("textarea")?.value;
  if (!answer) return;
  const given = textsOf(body);
  const inPath = (name: string) => form.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.value ?? null;
  const session = inPath("uuid") ?? text(given.session_uuid);
  const cause = new Cause(new Set(emits.split(" ")), text(given.command_uid), session, inPath("room_id"));
  const target = targetOf(form);
  // Before the request, so that nothing that it causes is missed.
  await listen();
  list.watch(cause);
  const headers = headersFor(auth);
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(target, { method, headers, cache: "no-store", ...(body !== undefined && { body }) });
    const { view, json } = await answerView(method, target, response);
    answer.replaceChildren(view);
    if (response.ok && json !== null) {
      cause.answered(json);
      remember(json);
      fill();
    }
    list.refresh();
  } catch (error) {
    answer.textContent = `No answer: ${error instanceof Error ? error.message : error}`;
  }
  answer.hidden = false;
}

async function listen(): Promise<void> {
  if (stream.open) return;
  try {
    await stream.listen(headersFor("app"));
    say(`Listening to the events of ${credentials().app}.`);
  } catch (error) {
    say(`No events: ${error instanceof Error ? error.message : error}`);
  }
}

function credentialFields(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-credential]")) {
    const name = input.dataset.credential;
    if (name !== "app" && name !== "key" && name !== "admin") continue;
    input.value = credentials()[name];
    input.addEventListener("change", () => {
      const changes: Partial<Credentials> = { [name]: input.value };
      keepCredentials(changes);
      stream.close();
      list.clear();
      say("The stream opens with the next request.");
      fill();
    });
  }
}

for (const form of forms) {
  const button = form.querySelector<HTMLButtonElement>("button[type=submit]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button) button.disabled = true;
    void send(form).finally(() => {
      if (button) button.disabled = false;
    });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
credentialFields();
fill();
