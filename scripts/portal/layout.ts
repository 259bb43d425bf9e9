/** The frame round each page: head, search, the way to everything else. */
import type { Book } from "./book";
import type { Guide } from "./guides";
import { type Content, type Html, html } from "./html";
import { hrefs } from "./links";
import { heading } from "./operations";
import type { Page } from "./page";

/** Paths of the files that pages load. */
export interface Assets {
  readonly style: string;
  /** Runs before the page is painted: a theme that was chosen does not flash. */
  readonly theme: string;
  readonly page: string;
  readonly console: string;
  /** Loaded when the search is first used. */
  readonly search: string;
  readonly icon: string;
}

export class Layout {
  constructor(
    private readonly book: Book,
    private readonly guides: readonly Guide[],
    private readonly assets: Assets,
  ) {}

  whole(page: Page): string {
    const { assets, book } = this;
    const title = page.path === "" ? "Voicegate: control live phone calls by HTTP" : `${page.title} · Voicegate`;
    return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="description" content="${page.about}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<script src="${assets.theme}"></script>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="${assets.icon}" type="image/svg+xml">
<script type="module" src="${assets.page}" data-search="${assets.search}"></script>
${page.console ? html`<script type="module" src="${assets.console}"></script>` : null}
</head>
<body class="${page.kind}-page">
<a class="skip" href="#main">Skip to the text</a>
<header>
<a class="brand" href="${hrefs.home}">Voicegate <span>${book.document.info.version}</span></a>
<search class="search needs-script">
<label for="search" class="hidden">Search</label>
<input id="search" type="search" placeholder="Search" autocomplete="off" spellcheck="false" role="combobox" aria-expanded="false" aria-controls="found" aria-autocomplete="list" aria-keyshortcuts="/">
<kbd aria-hidden="true">/</kbd>
<div id="found" role="listbox" aria-label="Pages" hidden></div>
</search>
<nav class="top" aria-label="Main"><a href="${hrefs.page("try")}">Try it</a></nav>
<button class="theme needs-script" type="button" aria-label="Light or dark"></button>
<button class="menu needs-script" type="button" aria-expanded="false" aria-controls="ways">Menu</button>
</header>
<div class="frame">
<nav id="ways" aria-label="All pages">${this.#ways(page)}</nav>
<main id="main" tabindex="-1">
${page.body}
</main>
</div>
<footer><p>Made of the contract of this gateway, version ${book.document.info.version}: <a href="/openapi.json">openapi.json</a>, <a href="/errors.json">errors.json</a>, <a href="${hrefs.page("changelog")}">changes</a>.</p></footer>
</body>
</html>
`.text;
  }

  #ways(page: Page): Content {
    const link = (href: string, name: Content): Html =>
      html`<li><a href="${href}"${href === `/docs${page.path}` ? html` aria-current="page"` : null}>${name}</a></li>`;
    const { tags } = this.book.document;
    return [
      html`<h2>Guides</h2><ul>${this.guides.map(({ name, title }) => link(hrefs.guide(name), title))}</ul>`,
      html`<h2>Contract</h2><ul>
${link(hrefs.page("operations"), "Operations")}
${link(hrefs.page("events"), "Events")}
${link(hrefs.page("errors"), "Errors")}
${link(hrefs.page("commands"), "Commands and their events")}
${link(hrefs.page("checks"), "The order of checks")}
${link(hrefs.page("fields"), "Fields")}
${link(hrefs.page("changelog"), "Changes")}
</ul>`,
      html`<h2>Reference</h2>${tags.map(({ name }) => {
        const operations = this.book.operations.filter(({ policy }) => policy.tag === name);
        const here = page.path === `/tags/${name}` || operations.some(({ id }) => page.path === `/operations/${id}`);
        return html`<details${here ? html` open` : null}><summary>${heading(name)}</summary><ul>
${link(hrefs.tag(name), "All of them")}
${operations.map(({ id, summary }) => link(hrefs.operation(id), summary))}</ul></details>`;
      })}`,
    ];
  }
}
