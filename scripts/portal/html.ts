/** HTML that cannot be mixed up with text: what a template is given is escaped unless it is HTML itself. */

export class Html {
  constructor(readonly text: string) {}
}

/** What a template takes: null and false are nothing, of lists each element. */
export type Content = Html | string | number | null | false | readonly Content[];

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function textOf(content: Content): string {
  if (content instanceof Html) return content.text;
  if (content === null || content === false) return "";
  if (typeof content === "string") return escaped(content);
  if (typeof content === "number") return String(content);
  return content.map(textOf).join("");
}

/** html`<a href="${path}">${name}</a>` */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, index) => part + textOf(values[index] ?? null)).join(""));
}

/** The text of a page without its tags, for the search. */
export function plain(content: Html): string {
  return content.text
    .replace(/<[^>]*>/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ")
    .trim();
}

/** Between each two of them. */
export function joined(parts: readonly Content[], separator: Content): Content[] {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part]));
}
