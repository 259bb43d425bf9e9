/** A page for each event, their list, and the table that says which command causes which. */
import type { EventName } from "../../src/contract";
import type { Book, Event, Operation } from "./book";
import { Fields } from "./fields";
import { type Content, html, joined } from "./html";
import { eventLink, hrefs, type Links, operationLink, table } from "./links";
import { block, type Markdown } from "./markdown";
import type { Page } from "./page";
import { shownJson } from "./samples";

/**
 * What may come after an event because of it, in the order in which it would; `call.hangup` may come after all of a call.
 * Total, so that an event that is new does not compile without its place.
 */
const followers: Readonly<Record<EventName, readonly EventName[]>> = {
  "call.new": ["call.answered", "dtmf", "call.hangup"],
  "call.answered": ["dtmf", "call.hangup"],
  "call.hangup": ["recording.completed"],
  dtmf: ["digits.collected"],
  "digits.collected": [],
  "playback.started": ["playback.file_not_found", "playback.stopped"],
  "playback.stopped": ["digits.collected"],
  "playback.file_not_found": ["playback.started", "playback.stopped", "command.result"],
  "recording.completed": [],
  "conference.created": ["conference.member.joined", "conference.play.started", "conference.destroyed"],
  "conference.destroyed": [],
  "conference.member.joined": ["conference.member.muted", "conference.member.left"],
  "conference.member.left": [],
  "conference.member.muted": ["conference.member.unmuted", "conference.member.left"],
  "conference.member.unmuted": ["conference.member.muted", "conference.member.left"],
  "conference.play.started": ["conference.play.file_not_found", "conference.play.stopped"],
  "conference.play.stopped": [],
  "conference.play.file_not_found": ["conference.play.started", "conference.play.stopped", "command.result"],
  "command.result": [],
};

const sources = {
  session: "of its call: it carries `session_uuid`, and the call's next `sequence`.",
  room: "of its room: it carries `room_id`, and the room's next `sequence`.",
  either: "of the call or of the room that the command was for, with its `session_uuid` or `room_id`.",
} as const;

export class Events {
  readonly #fields: Fields;

  constructor(
    private readonly book: Book,
    private readonly links: Links,
    private readonly markdown: Markdown,
  ) {
    this.#fields = new Fields(book, links, markdown);
  }

  pages(): Page[] {
    return [...this.book.events.map((event) => this.#event(event)), this.#all(), this.#commands()];
  }

  #event({ name, summary, description, source, data, example, causes }: Event): Page {
    const before = this.book.events.filter((event) => followers[event.name].includes(name));
    const list = (names: readonly EventName[]): Content =>
      html`<ul>${names.map((one) => html`<li>${eventLink(one)} ${this.book.events.find((event) => event.name === one)?.summary ?? null}</li>`)}</ul>`;
    return {
      path: `/events/${name}`,
      kind: "event",
      title: name,
      about: summary,
      body: html`<p class="crumbs"><a href="${hrefs.page("events")}">Events</a></p>
<h1><code>${name}</code></h1>
<p class="lead">${this.markdown.line(summary)}.</p>
${this.markdown.prose(description)}
<p>One ${this.markdown.line(sources[source])} How events are signed, ordered and repeated: <a href="${hrefs.guide("webhooks")}">webhooks</a>.</p>
<section><h2 id="data">What is in <code>data</code></h2>
${this.#fields.table("Fields of data", data, "data-") ?? html`<p>Nothing that is always there.</p>`}
${block(shownJson(example), "json", "The whole body")}</section>
<section><h2 id="causes">What causes it</h2>
${
  name === "command.result"
    ? html`<p>Every command that was answered <code>202</code>: exactly one for each. The <a href="${hrefs.page("commands")}">table of commands</a> has them all. A failed one carries an error of the <a href="${hrefs.page("errors")}#results">catalogue</a>.</p>`
    : html`<ul>${causes.map((operation) => html`<li>${operationLink(operation)}</li>`)}</ul>`
}
</section>
<section><h2 id="after">What can follow</h2>
${followers[name].length === 0 ? html`<p>Nothing comes because of it.</p>` : list(followers[name])}
${source === "session" && name !== "call.hangup" && name !== "recording.completed" ? html`<p>Whatever happens, the call ends with ${eventLink("call.hangup")}.</p>` : null}
${before.length === 0 ? null : [html`<h3>It may come after</h3>`, list(before.map((event) => event.name))]}
</section>`,
    };
  }

  #all(): Page {
    return {
      path: "/events",
      kind: "list",
      title: "Events",
      about: "Everything that the gateway tells by webhooks and in the stream.",
      body: html`<h1>Events</h1>
<p class="lead">What happens to a call or a room is told by webhooks, numbered and in order, and by the <a href="${hrefs.operation("streamEvents")}">stream</a>. Receivers ignore events and fields that they do not know.</p>
${table(
  "Events",
  ["Event", "When", "Of"],
  this.book.events.map(({ name, summary, source }) => [
    eventLink(name),
    this.markdown.line(summary),
    source === "either" ? "call or room" : source === "session" ? "call" : "room",
  ]),
)}
<p>Which command causes which: <a href="${hrefs.page("commands")}">commands and their events</a>.</p>`,
    };
  }

  #commands(): Page {
    const rows = this.book.operations.filter(({ emits }) => emits.length > 0);
    const named = ({ id, policy }: Operation) => this.links.code(policy.command?.name ?? id);
    return {
      path: "/commands",
      kind: "list",
      title: "Commands and their events",
      about: "Which request causes which events, when its result comes, and how often it may be sent.",
      body: html`<h1>Commands and their events</h1>
<p class="lead">A command is answered <code>202</code> once the media server has taken it. Exactly one ${eventLink("command.result")} says how it went, beside the events here.</p>
${table(
  "Commands and their events",
  ["Command", "Result", "Cooldown", "Events"],
  rows.map((operation) => {
    const { command } = operation.policy;
    return [
      [named(operation), html`<br><span class="what">${operation.summary}</span>`],
      command?.result ?? "–",
      command?.cooldown ? html`<code>${command.cooldown.group}</code> ${command.cooldown.ms}\u00a0ms` : "–",
      joined(
        operation.emits.map((name) => eventLink(name)),
        html`<br>`,
      ),
    ];
  }),
)}`,
    };
  }
}
