/** The reference: a page for each operation, one for each tag, and the list of all. */
import type { Book, CatalogueError, Operation } from "./book";
import { consoleSection, requestForm } from "./console";
import { Fields } from "./fields";
import { type Content, type Html, html, joined } from "./html";
import { errorLink, eventLink, hrefs, type Links, method, operationLink, table } from "./links";
import { block, type Markdown } from "./markdown";
import type { Page } from "./page";
import { client, curl, shownJson } from "./samples";
import { steps } from "./steps";

export class Reference {
  readonly #fields: Fields;

  constructor(
    private readonly book: Book,
    links: Links,
    private readonly markdown: Markdown,
  ) {
    this.#fields = new Fields(book, links, markdown);
  }

  pages(): Page[] {
    return [
      ...this.book.operations.map((operation) => this.#operation(operation)),
      ...this.book.document.tags.map(({ name, description }) => this.#tag(name, description)),
      this.#all(),
    ];
  }

  #operation(operation: Operation): Page {
    const { id, policy, summary, description, parameters, body, responses } = operation;
    const { method: verb, path, tag } = policy;
    const sent = parameters.filter(({ in: place }) => place !== "header");
    const headers = parameters.filter(({ in: place }) => place === "header");
    const bodyHtml = html`<p class="crumbs"><a href="${hrefs.page("operations")}">Reference</a> / <a href="${hrefs.tag(tag)}">${tag}</a></p>
<h1>${summary}</h1>
<p class="line">${method(verb)} <code class="path">${path}</code> <code class="id">${id}</code></p>
${this.markdown.prose(description)}
<div class="samples">${block(curl(operation), "sh", "curl")}${block(client(operation), "ts", "voicegate/client")}</div>
${this.#limits(operation)}
${section("Parameters", this.#fields.parameters("Parameters", sent, { ...policy.fields.path, ...policy.fields.query }))}
${section("Headers", this.#fields.parameters("Headers", [...headers], {}))}
${
  body
    ? section("Body", [
        body.required ? null : html`<p>The body may be left out.</p>`,
        this.#fields.table("Fields of the body", body.schema, "body-", policy.fields.body),
        this.#rules(operation),
        block(shownJson(body.example), "json", "Example"),
      ])
    : null
}
${consoleSection("Try it", [requestForm(operation)])}
${section("Answers", [this.#successes(responses), this.#failures(operation)])}
${section("Order of checks", this.#checks(operation))}
${
  operation.emits.length === 0
    ? null
    : section("Events", [
        html`<p>What it can cause, as webhooks and in the stream:</p>`,
        html`<ul>${operation.emits.map((name) => html`<li>${eventLink(name)} ${this.book.events.find((event) => event.name === name)?.summary ?? null}</li>`)}</ul>`,
      ])
}`;
    return {
      path: `/operations/${id}`,
      kind: "operation",
      title: summary,
      about: `${verb} ${path}`,
      names: [id, path, ...(policy.command ? [policy.command.name] : [])],
      body: bodyHtml,
      console: true,
    };
  }

  #limits({ policy }: Operation): Content {
    const { auth, body, command, ended, always } = policy;
    const guide = html`<a href="${hrefs.guide("authentication")}">`;
    const key = {
      app: html`${guide}<code>X-App-ID</code> and <code>X-API-Key</code></a>`,
      admin: html`${guide}<code>X-Admin-API-Key</code></a>`,
      none: "none",
    }[auth];
    const facts: (readonly [string, Content])[] = [
      ["Credentials", key],
      ["Body", body.mode === "ignored" ? `ignored, at most ${bytes(body.limit)}` : `at most ${bytes(body.limit)}`],
    ];
    if (command) {
      const { result, timeout_ms, cooldown } = command;
      const late = typeof timeout_ms === "number" ? milliseconds(timeout_ms) : timeout_ms;
      facts.push([
        "Result",
        result === "immediate"
          ? "at once"
          : html`when the media server has confirmed, given up after <code>${late}</code>`,
      ]);
      facts.push([
        "Rate group",
        cooldown
          ? html`<a href="${hrefs.guide("rate-limits")}"><code>${cooldown.group}</code></a>: one command in ${milliseconds(cooldown.ms)}`
          : "none",
      ]);
    }
    if (ended) facts.push(["After the end", "answered for calls and rooms that have ended, too"]);
    if (always) facts.push(["Shutdown", "answered also while the gateway is shut down or overloaded"]);
    return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
  }

  #successes(responses: Operation["responses"]): Content {
    return responses.map(([status, { description, content = {}, headers = {} }]) => {
      const types = Object.entries(content);
      const json = content["application/json"];
      return html`<h3 id="status-${status}"><span class="status">${status}</span></h3>
${this.markdown.prose(description)}
${
  types.length === 0
    ? html`<p>Without a body.</p>`
    : html`<p>${joined(
        types.map(([type]) => html`<code>${type}</code>`),
        ", ",
      )}</p>`
}
${json ? this.#fields.table(`Fields of the answer ${status}`, json.schema, `answer-${status}-`) : null}
${json?.example === undefined ? null : block(shownJson(json.example), "json", "Example")}
<details><summary>Headers of the answer</summary>${this.#fields.headers(headers)}</details>`;
    });
  }

  /** What must hold between fields. */
  #rules({ policy }: Operation): Content {
    const broken = policy.rules.map(({ error }) => this.book.error(error));
    if (broken.length === 0) return null;
    return html`<p>Between fields:</p><ul>${broken.map(({ code, message }) => html`<li><span class="message">${message}</span>: ${errorLink(code)}</li>`)}</ul>`;
  }

  #failures(operation: Operation): Content {
    const all = operation.failures.map((code) => this.book.error(code));
    const byStatus = [...all].sort((one, other) => (one.status ?? 0) - (other.status ?? 0));
    return [
      html`<h3 id="errors">Errors</h3>`,
      table(
        "Errors",
        ["Status", "Code", "Message", "Fix"],
        byStatus.map(({ status, code, message, fix }) => [
          html`<span class="status failed">${status}</span>`,
          errorLink(code),
          html`<span class="message">${message}</span>`,
          this.markdown.line(fix),
        ]),
      ),
    ];
  }

  #checks({ failures }: Operation): Html {
    const groups = new Map<number, CatalogueError[]>();
    for (const code of failures) {
      const error = this.book.error(code);
      const step = error.step ?? 0;
      groups.set(step, [...(groups.get(step) ?? []), error]);
    }
    return html`<p>The first that fails decides. What stands here are the steps of the <a href="${hrefs.page("checks")}">whole order</a> that this operation has.</p>
<ol class="checks">${[...groups].map(
      ([step, errors]) =>
        html`<li value="${step}"><a href="${hrefs.step(step)}">${steps[step]?.title ?? null}</a>: ${joined(
          errors.map(({ code }) => errorLink(code)),
          " → ",
        )}</li>`,
    )}</ol>`;
  }

  #tag(name: string, description: string): Page {
    const operations = this.book.operations.filter(({ policy }) => policy.tag === name);
    return {
      path: `/tags/${name}`,
      kind: "tag",
      title: heading(name),
      about: description.replaceAll("`", ""),
      body: html`<p class="crumbs"><a href="${hrefs.page("operations")}">Reference</a></p>
<h1>${heading(name)}</h1>
<p class="lead">${this.markdown.line(description)}</p>
${operations.map(
  (operation) => html`<section class="card"><h2><a href="${hrefs.operation(operation.id)}">${operation.summary}</a></h2>
<p class="line">${method(operation.policy.method)} <code>${operation.policy.path}</code></p>
${this.markdown.prose(operation.description)}</section>
`,
)}`,
    };
  }

  #all(): Page {
    const { tags } = this.book.document;
    return {
      path: "/operations",
      kind: "list",
      title: "All operations",
      about: "Every method and path of the gateway.",
      body: html`<h1>Reference</h1>
<p class="lead">Every operation of the contract. The machine's form of it is <a href="/openapi.json"><code>/openapi.json</code></a>.</p>
${tags.map(
  ({ name, description }) => html`<h2 id="${name}"><a href="${hrefs.tag(name)}">${heading(name)}</a></h2>
<p>${this.markdown.line(description)}</p>
${table(
  heading(name),
  ["Operation", "Method", "Path"],
  this.book.operations
    .filter(({ policy }) => policy.tag === name)
    .map((operation) => [
      operationLink(operation),
      method(operation.policy.method),
      html`<code>${operation.policy.path}</code>`,
    ]),
)}`,
)}`,
    };
  }
}

export function heading(tag: string): string {
  return `${tag.slice(0, 1).toUpperCase()}${tag.slice(1)}`;
}

function section(title: string, content: Content): Content {
  if (content === null) return null;
  const id = title.toLowerCase().replaceAll(" ", "-");
  return html`<section><h2 id="${id}">${title}</h2>${content}</section>
`;
}

function bytes(limit: number): string {
  return limit >= 1 << 20 ? `${limit / (1 << 20)} MiB` : `${limit / 1024} KiB`;
}

function milliseconds(ms: number): string {
  return ms >= 1000 ? `${ms / 1000}\u00a0s` : `${ms}\u00a0ms`;
}
