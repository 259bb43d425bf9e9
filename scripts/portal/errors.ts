/** A page for each error, their list, and the order of checks. */
import type { Book, CatalogueError, Json } from "./book";
import { Fields } from "./fields";
import { type Content, html, joined } from "./html";
import { errorLink, eventLink, hrefs, type Links, operationLink, table } from "./links";
import { block, type Markdown } from "./markdown";
import type { Page } from "./page";
import { shownJson } from "./samples";
import { steps } from "./steps";

export class Errors {
  readonly #fields: Fields;

  constructor(
    private readonly book: Book,
    links: Links,
    private readonly markdown: Markdown,
  ) {
    this.#fields = new Fields(book, links, markdown);
  }

  pages(): Page[] {
    return [...this.book.errors.map((error) => this.#error(error)), this.#all(), this.#checks()];
  }

  #error(error: CatalogueError): Page {
    const { code, status, step, message, cause, fix, provoke, result, detail } = error;
    const envelope = { success: false, error: message, code, ...(detail && { detail: exampleOf(detail) }) };
    const failed = { command: "playback/start", command_uid: "welcome-1", success: false, error: message, code };
    return {
      path: `/errors/${code}`,
      kind: "error",
      title: code,
      about: `${status ?? "command.result"}: ${message}`,
      names: [message],
      body: html`<p class="crumbs"><a href="${hrefs.page("errors")}">Errors</a></p>
<h1><code>${code}</code></h1>
<p class="lead">${status === null ? null : html`<span class="status failed">${status}</span> `}<span class="message">${message}</span></p>
<dl class="facts">
<div><dt>Cause</dt><dd>${this.markdown.line(cause)}</dd></div>
<div><dt>Fix</dt><dd>${this.markdown.line(fix)}</dd></div>
<div><dt>How to provoke it</dt><dd>${this.markdown.line(provoke)}</dd></div>
${step === null ? null : html`<div><dt>Check</dt><dd>step ${step}, <a href="${hrefs.step(step)}">${steps[step]?.title ?? null}</a></dd></div>`}
</dl>
${status === null ? null : block(shownJson(envelope), "json", "The answer")}
${detail === null ? null : this.#fields.table("Fields of detail", detail, "detail-")}
${
  result
    ? html`<section><h2 id="result">In <code>command.result</code></h2>
<p>${status === null ? "Never an answer" : "Also told"} ${status === null ? "to a request: the command was taken, and this is how it went" : "when the command was taken and failed later"}. See ${eventLink("command.result")}.</p>
${block(shownJson(failed), "json", "data of the event")}</section>`
    : null
}
${this.#givers(error)}`,
    };
  }

  #givers({ operations }: CatalogueError): Content {
    if (operations.length === 0) return null;
    const known = this.book.operations.filter(({ id }) => operations.includes(id));
    const others = this.book.pseudo.filter(({ id }) => operations.includes(id));
    return html`<section><h2 id="operations">Who gives it</h2>
<ul class="columns">${known.map((operation) => html`<li>${operationLink(operation)}</li>`)}${others.map(({ summary }) => html`<li>${summary}</li>`)}</ul></section>`;
  }

  #all(): Page {
    const answers = this.book.errors.filter(({ status }) => status !== null);
    const statuses = [...new Set(answers.map(({ status }) => status ?? 0))].sort((one, other) => one - other);
    const rows = (errors: readonly CatalogueError[]) =>
      errors.map(({ code, message, cause }) => [
        errorLink(code),
        html`<span class="message">${message}</span>`,
        this.markdown.line(cause),
      ]);
    return {
      path: "/errors",
      kind: "list",
      title: "Errors",
      about: "Every error that the gateway answers, by status.",
      body: html`<h1>Errors</h1>
<p class="lead">One code is one message, for ever. A program looks at <code>code</code>; the text is for people. The machine's form of this list is <a href="/errors.json"><code>/errors.json</code></a>.</p>
<p class="jump">${joined(
        statuses.map((status) => html`<a href="#status-${status}">${status}</a>`),
        " · ",
      )} · <a href="#results">command.result</a></p>
${statuses.map(
  (status) => html`<h2 id="status-${status}">${status}</h2>
${table(
  `Errors with status ${status}`,
  ["Code", "Message", "Cause"],
  rows(answers.filter((error) => error.status === status)),
)}`,
)}
<h2 id="results">In <code>command.result</code></h2>
<p>What a command that was taken can still fail with.</p>
${table("Errors of command.result", ["Code", "Message", "Cause"], rows(this.book.errors.filter(({ result }) => result)))}`,
    };
  }

  #checks(): Page {
    const numbers = [...new Set(this.book.errors.flatMap(({ step }) => step ?? []))].sort((one, other) => one - other);
    return {
      path: "/checks",
      kind: "list",
      title: "The order of checks",
      about: "Which of two mistakes in one request decides the answer.",
      body: html`<h1>The order of checks</h1>
<p class="lead">A request with two mistakes gets the error of the first check that fails. The order is part of the contract.</p>
<ol class="steps">${numbers.map((number) => {
        const step = steps[number];
        if (!step) throw new Error(`scripts/portal/steps.ts says nothing of step ${number}`);
        const codes = this.book.errors.filter((error) => error.step === number).map(({ code }) => errorLink(code));
        return html`<li id="step-${number}" value="${number}"><h2>${step.title}</h2>
<p>${this.markdown.line(step.about)}</p>
<p class="codes">${joined(codes, " ")}</p></li>`;
      })}</ol>`,
    };
  }
}

/** A value for each field of a flat object. */
function exampleOf({ properties = {} }: NonNullable<CatalogueError["detail"]>): Readonly<Record<string, Json>> {
  const samples: Readonly<Record<string, Json>> = {
    retry_after_ms: 320,
    room_id: "acW68-room-0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e",
    node: "acW68",
    did: "+49301000",
  };
  return Object.fromEntries(Object.keys(properties).map((name) => [name, samples[name] ?? "…"]));
}
