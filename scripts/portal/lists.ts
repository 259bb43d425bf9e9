/** The first page, the page of all fields, the console and the way through the guides. */
import { flatFields } from "../spec/flat";
import type { Book, Schema } from "./book";
import { consoleSection, requestForm } from "./console";
import { type Guide, plain } from "./guides";
import { type Content, html, joined } from "./html";
import { errorLink, eventLink, hrefs, operationLink, table } from "./links";
import { block, type Markdown } from "./markdown";
import type { Page } from "./page";

/** Where each field of bodies, answers and events stands, by its name without what it lies in. */
export function fieldPlaces(book: Book): Map<string, Map<string, Content>> {
  const places = new Map<string, Map<string, Content>>();
  const fieldsOf = (schema: Schema) => flatFields((one) => book.resolved(one), schema);
  const add = (name: string, key: string, link: Content) => {
    const own = places.get(name) ?? new Map<string, Content>();
    places.set(name, own.set(key, own.get(key) ?? link));
  };
  for (const operation of book.operations) {
    const { id, parameters, body, responses } = operation;
    for (const { name, in: place } of parameters)
      if (place !== "header")
        add(name, id, html`<a href="${hrefs.operation(id)}#${place}-${name}"><code>${id}</code></a>`);
    const at = (prefix: string, name: string) => {
      add(
        name.split(".").at(-1)?.replace("[]", "") ?? name,
        id,
        html`<a href="${hrefs.operation(id)}#${prefix}${name}"><code>${id}</code></a>`,
      );
    };
    if (body) for (const { name } of fieldsOf(body.schema)) at("body-", name);
    for (const [status, { content = {} }] of responses) {
      const json = content["application/json"];
      if (json) for (const { name } of fieldsOf(json.schema)) at(`answer-${status}-`, name);
    }
  }
  for (const { name: event, data } of book.events)
    for (const { name } of fieldsOf(data))
      add(
        name.split(".").at(-1) ?? name,
        event,
        html`<a href="${hrefs.event(event)}#data-${name}"><code>${event}</code></a>`,
      );
  for (const { code, detail } of book.errors)
    for (const name of Object.keys(detail?.properties ?? {})) add(name, code, errorLink(code));
  for (const name of ["event", "sequence", "timestamp", "data"])
    add(name, "webhooks", html`<a href="${hrefs.guide("webhooks")}">webhooks</a>`);
  return places;
}

export function fieldsPage(places: ReadonlyMap<string, ReadonlyMap<string, Content>>): Page {
  const names = [...places.keys()].sort((one, other) => one.localeCompare(other));
  return {
    path: "/fields",
    kind: "list",
    title: "Fields",
    about: "Every field of bodies, answers and events, and where it stands.",
    body: html`<h1>Fields</h1>
<p class="lead">Every name that stands in a path, a query, a body, an answer or an event.</p>
${table(
  "Fields",
  ["Field", "Where it stands"],
  names.map((name) => [html`<code id="${name}">${name}</code>`, joined([...(places.get(name)?.values() ?? [])], ", ")]),
)}`,
  };
}

/** The first minute without a terminal. */
export function tryPage(book: Book): Page {
  const form = (id: Parameters<Book["operation"]>[0], step: string, preset?: Parameters<typeof requestForm>[2]) =>
    requestForm(book.operation(id), step, preset);
  return {
    path: "/try",
    kind: "try",
    title: "Try it",
    about: "Place a simulated call, answer it, play something, and watch the events.",
    console: true,
    body: html`<h1>Try it</h1>
<p class="lead">A caller without a phone calls the gateway that serves this page. You are the application: answer, play, ask for digits, hang up. What happens on the line appears beside it.</p>
${consoleSection("The first minute", [
  form("createSandboxCall", "1. Place a simulated call", {
    did: "100",
    caller_id: "alice",
    script: [
      { do: "wait_for", event: "playback.started" },
      { do: "wait_for", event: "playback.stopped" },
      { do: "wait", ms: 500 },
      { do: "press", digits: "1234#" },
    ],
  }),
  form("answer", "2. Answer it"),
  form("startPlayback", "3. Play a tone", { urls: ["{origin}/samples/tone.wav"] }),
  form("playAndGetDigits", "4. Ask for digits: the caller presses them", {
    prompt_files: ["{origin}/samples/tone.wav"],
    max_digits: 4,
  }),
  form("getSession", "5. Look at the call"),
  form("hangup", "6. Hang up", { cause: "NORMAL_CLEARING" }),
])}
<p>Every operation has such a form on <a href="${hrefs.page("operations")}">its page</a>. What you see here is ${eventLink("call.new")}, ${eventLink("command.result")} and what else an application gets by <a href="${hrefs.guide("webhooks")}">webhooks</a>.</p>`,
  };
}

export function homePage(book: Book, markdown: Markdown, guides: readonly Guide[]): Page {
  const { info, tags } = book.document;
  const call = (path: string, headers: string, body: string) =>
    `curl -s ${headers} -H "Content-Type: application/json" \\\n  -d '${body}' http://127.0.0.1:8080${path}`;
  return {
    path: "",
    kind: "home",
    title: "Voicegate",
    about: info.summary,
    body: html`<div class="hero"><h1>Control live phone calls by HTTP</h1>
<p class="lead">A call arrives, your application is told by a webhook, and answers, plays, collects digits, records, confers and hangs up with commands. Everything that happens on the line comes back signed, numbered and in order.</p>
<p class="ways"><a class="button" href="${hrefs.page("try")}">Place a call from here</a> <a class="button quiet" href="${hrefs.guide("first-call")}">The first call, step by step</a></p></div>
${block(
  call(
    "/api/v1/sessions/$SESSION/commands/answer",
    '-H "X-App-ID: demo" -H "X-API-Key: demo-api-key-0123456789"',
    "{}",
  ),
  "sh",
  "A command",
)}
<section><h2>Guides</h2>
<ul class="cards">${guides.map(({ name, title, about }) => html`<li><a href="${hrefs.guide(name)}"><b>${title}</b><span>${plain(about)}</span></a></li>`)}</ul></section>
<section><h2>Reference</h2>
<ul class="cards">
<li><a href="${hrefs.page("operations")}"><b>Operations</b><span>${book.operations.length} of them, each with its fields, limits, errors and a form that sends it</span></a></li>
<li><a href="${hrefs.page("events")}"><b>Events</b><span>${book.events.length} of them, with what causes them and what follows</span></a></li>
<li><a href="${hrefs.page("errors")}"><b>Errors</b><span>${book.errors.length} of them, with cause, fix and the request that provokes each</span></a></li>
<li><a href="${hrefs.page("commands")}"><b>Commands and their events</b><span>One table: results, cooldowns, consequences</span></a></li>
<li><a href="${hrefs.page("checks")}"><b>The order of checks</b><span>Which of two mistakes decides the answer</span></a></li>
<li><a href="${hrefs.page("fields")}"><b>Fields</b><span>Every name, and where it stands</span></a></li>
<li><a href="${hrefs.page("changelog")}"><b>Changes</b><span>What was added, changed or removed, and what of it breaks</span></a></li>
</ul>
<ul class="tags">${tags.map(({ name, description }) => html`<li><a href="${hrefs.tag(name)}">${name}</a> ${markdown.line(description)}</li>`)}</ul></section>
<section><h2>The contract</h2>
${markdown.prose(info.description)}
<p>A start for every day: ${joined(
      (["listSessions", "startPlayback", "createRoom"] as const).map((id) => operationLink(book.operation(id))),
      " · ",
    )}.</p></section>`,
  };
}
