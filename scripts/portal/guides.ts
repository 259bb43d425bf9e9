/** The guides, from src/portal/guides: the first heading is the title, the first paragraph what it is about. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Book } from "./book";
import { type Content, Html, html, joined } from "./html";
import { hrefs, type Links, table } from "./links";
import type { Markdown } from "./markdown";
import type { Page } from "./page";

export interface Guide {
  /** `first-call` */
  readonly name: string;
  readonly title: string;
  readonly about: string;
  /** What follows the title. */
  readonly source: string;
}

/** `10-first-call.md`: the number is the place among the others. */
const fileName = /^\d\d-([a-z-]+)\.md$/;
const beginning = /^# (.+)\n\n([^\n](?:.|\n(?!\n))*)\n/;

/** @throws when a file has another form */
export function readGuides(folder: string): Guide[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const [, name] = fileName.exec(file) ?? [];
      const source = readFileSync(path.join(folder, file), "utf8");
      const [whole = "", title, about] = beginning.exec(source) ?? [];
      if (name === undefined || title === undefined || about === undefined)
        throw new Error(`${file}: a guide is called NN-name.md, and begins with a title and a paragraph`);
      return { name, title, about: about.replaceAll("\n", " "), source: source.slice(whole.length) };
    });
}

/** A line of Markdown where nothing but text may stand. */
export const plain = (line: string): string => line.replaceAll(/[`*]/g, "");

/** Stands in a guide for a table that the contract fills. */
const rateGroups = "<!-- rate groups -->";

export function guidePages(guides: readonly Guide[], book: Book, links: Links, markdown: Markdown): Page[] {
  return guides.map((guide, index) => {
    const { name, title, about, source } = guide;
    const { html: written, headings } = markdown.text(source);
    const text = new Html(written.text.replace(rateGroups, () => html`${rateGroupTable(book, links)}`.text));
    const next = guides[index + 1];
    return {
      path: `/guides/${name}`,
      kind: "guide",
      title,
      about: plain(about),
      body: html`<h1>${title}</h1>
<p class="lead">${markdown.line(about)}</p>
${
  headings.length < 3
    ? null
    : html`<nav class="contents" aria-label="On this page"><ul>${headings.map(({ id, text }) => html`<li><a href="#${id}">${plainText(text)}</a></li>`)}</ul></nav>`
}
${text}
${next ? html`<p class="next">Next: <a href="${hrefs.guide(next.name)}">${next.title}</a></p>` : null}`,
    };
  });
}

function rateGroupTable(book: Book, links: Links): Content {
  const groups = Object.entries(book.document["x-rate-groups"]);
  return table(
    "Rate groups",
    ["Group", "Window", "Commands"],
    groups.map(([group, ms]) => {
      const commands = book.operations.flatMap(({ policy }) => policy.command ?? []);
      const own = commands.filter(({ cooldown }) => cooldown?.group === group).map(({ name }) => links.code(name));
      return [html`<code>${group}</code>`, `${ms}\u00a0ms`, joined(own, ", ")];
    }),
  );
}

/** The text of a heading has its entities already. */
function plainText(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
