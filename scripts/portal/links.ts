/** Where names lead: operations, commands, errors, events and fields, wherever a page writes one. */

import type { Book, Event, Operation } from "./book";
import { type Content, type Html, html } from "./html";

export const hrefs = {
  home: "/docs",
  page: (name: string) => `/docs/${name}`,
  guide: (name: string) => `/docs/guides/${name}`,
  tag: (name: string) => `/docs/tags/${name}`,
  operation: (id: string) => `/docs/operations/${id}`,
  error: (code: string) => `/docs/errors/${code}`,
  event: (name: string) => `/docs/events/${name}`,
  field: (name: string) => `/docs/fields#${name}`,
  step: (step: number) => `/docs/checks#step-${step}`,
};

/** `POST /api/v1/conferences`, also without the method and with a host before it. */
const request = /^(?:(GET|POST|DELETE|PUT) )?(\/[a-z0-9/_.{}-]*)$/i;

export class Links {
  readonly #names = new Map<string, string>();
  /** Events and errors: what fields have for values. */
  readonly #values = new Map<string, string>();
  readonly #fields: ReadonlySet<string>;

  /** @param fields every field that the page of fields lists */
  constructor(book: Book, fields: Iterable<string>) {
    this.#fields = new Set(fields);
    for (const { id, policy } of book.operations) {
      const { method, path, command } = policy;
      this.#names.set(id, hrefs.operation(id));
      this.#names.set(`${method} ${path}`, hrefs.operation(id));
      if (!this.#names.has(path)) this.#names.set(path, hrefs.operation(id));
      if (command) this.#names.set(command.name, hrefs.operation(id));
    }
    for (const { name } of book.events) this.#values.set(name, hrefs.event(name));
    for (const { code, message } of book.errors) {
      this.#values.set(code, hrefs.error(code));
      this.#values.set(message, hrefs.error(code));
    }
  }

  /** Where a name leads that stands as code in a text; null: nowhere. */
  of(name: string): string | null {
    const known = this.#values.get(name) ?? this.#names.get(name);
    if (known !== undefined) return known;
    if (request.test(name)) return null;
    const field = name.replace(/^(?:detail|data)\./, "");
    return this.#fields.has(field) ? hrefs.field(field) : null;
  }

  /** The name as code, a link where it leads anywhere. */
  code(name: string): Html {
    return linked(name, this.of(name));
  }

  /** What a field may be: a word that is also the name of a command, such as `hangup`, is none here. */
  value(text: string): Html {
    return linked(text, this.#values.get(text) ?? null);
  }
}

function linked(name: string, href: string | null): Html {
  return href === null ? html`<code>${name}</code>` : html`<a href="${href}"><code>${name}</code></a>`;
}

export function operationLink({ id, summary }: Operation): Html {
  return html`<a href="${hrefs.operation(id)}"><code>${id}</code></a> <span class="what">${summary}</span>`;
}

export function eventLink(name: Event["name"]): Html {
  return html`<a href="${hrefs.event(name)}"><code>${name}</code></a>`;
}

export function errorLink(code: string): Html {
  return html`<a href="${hrefs.error(code)}"><code>${code}</code></a>`;
}

/** `GET` and the like, in its colour. */
export function method(name: string): Html {
  return html`<span class="method ${name.toLowerCase()}">${name}</span>`;
}

/** A table in a box of its own, which is scrolled by itself where it is wider than the page. */
export function table(label: string, heads: readonly Content[], rows: readonly (readonly Content[])[]): Content {
  if (rows.length === 0) return null;
  const cells = (row: readonly Content[]) => row.map((cell) => html`<td>${cell}</td>`);
  return html`<div class="wide" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody>
</table></div>`;
}
