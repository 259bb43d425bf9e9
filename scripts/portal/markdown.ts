/** Markdown of the guides, and of the descriptions in the document, as HTML whose names are links. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { Marked, type Tokens } from "marked";
import { escaped, Html, html } from "./html";
import type { Links } from "./links";

/** What a fence says after its language: `sh run` is run by a test as it stands, `ts include=examples/ivr.ts` takes in a file. */
const fence = /^(\S+)?(?:\s+(.*))?$/;
const include = /^include=(\S+)$/;

const languages: Readonly<Record<string, string>> = {
  sh: "Shell",
  json: "JSON",
  http: "HTTP",
  ts: "TypeScript",
  py: "Python",
  go: "Go",
  php: "PHP",
  rb: "Ruby",
};

export interface Heading {
  readonly id: string;
  readonly text: string;
}

export class Markdown {
  readonly #marked: Marked;
  #headings: Heading[] = [];

  /**
   * @param root of the project, where included files lie
   * @param missing is told of an included file that is not there; its block is left out
   */
  constructor(
    private readonly root: string,
    private readonly links: Links,
    private readonly missing: (file: string) => void,
  ) {
    this.#marked = new Marked({
      async: false,
      renderer: {
        codespan: ({ text }) => this.links.code(text).text,
        code: (token) => this.#code(token).text,
        heading: ({ tokens, depth }) => this.#heading(this.#marked.Parser.parseInline(tokens), depth).text,
        table: (token) => this.#table(token).text,
      },
    });
  }

  /** A whole text. */
  text(source: string): { readonly html: Html; readonly headings: readonly Heading[] } {
    this.#headings = [];
    const text = this.#marked.parse(source, { async: false });
    return { html: new Html(text), headings: this.#headings };
  }

  /** A description, as paragraphs. */
  prose(source: string): Html {
    return this.text(this.#values(source)).html;
  }

  /** A sentence, without a paragraph round it. */
  line(source: string): Html {
    return new Html(this.#marked.parseInline(this.#values(source).trim(), { async: false }));
  }

  /** In descriptions, what a colon follows is a value that is explained, and no command of this name. */
  #values(source: string): string {
    return source.replaceAll(/`([a-z_]+)`(?=:)/g, (_, value: string) => this.links.value(value).text);
  }

  #code({ text, lang = "" }: Tokens.Code): Html {
    const [, language = "text", word = ""] = fence.exec(lang.trim()) ?? [];
    const [, file] = include.exec(word) ?? [];
    if (file === undefined) return block(text, language);
    const included = this.#included(file);
    return included === null ? html`` : block(included, language, path.basename(file));
  }

  #included(file: string): string | null {
    try {
      return readFileSync(path.join(this.root, file), "utf8").trimEnd();
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
      this.missing(file);
      return null;
    }
  }

  #heading(inner: string, depth: number): Html {
    const text = inner.replace(/<[^>]*>/g, "");
    const id = text
      .toLowerCase()
      .replace(/&[a-z#0-9]+;/g, "")
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");
    if (depth === 1) return new Html(`<h1>${inner}</h1>\n`);
    if (depth === 2) this.#headings.push({ id, text });
    return new Html(
      `<h${depth} id="${id}">${inner} <a class="anchor" href="#${id}" aria-label="Link to ${text}">#</a></h${depth}>\n`,
    );
  }

  #table({ header, rows }: Tokens.Table): Html {
    const cell = ({ tokens }: Tokens.TableCell, tag: string) =>
      `<${tag}>${this.#marked.Parser.parseInline(tokens)}</${tag}>`;
    const line = (cells: readonly Tokens.TableCell[], tag: string) =>
      `<tr>${cells.map((each) => cell(each, tag)).join("")}</tr>`;
    return new Html(
      `<div class="wide" role="region" aria-label="Table" tabindex="0"><table><thead>${line(header, "th")}</thead><tbody>${rows.map((row) => line(row, "td")).join("")}</tbody></table></div>\n`,
    );
  }
}

/** Code with a head that says what it is; the browser adds a button that copies it. */
export function block(text: string, language: string, name: string | null = null): Html {
  const label = name ?? languages[language] ?? language;
  return html`<figure class="code" data-language="${language}"><figcaption>${label}</figcaption><pre tabindex="0"><code>${new Html(coloured(text, language))}</code></pre></figure>
`;
}

/** JSON and shell with their strings and comments marked: enough to find one's way, and no library. */
function coloured(text: string, language: string): string {
  if (language === "json")
    return escaped(text).replace(
      /(&quot;(?:[^&]|&(?!quot;))*?&quot;)(\s*:)?|\b(true|false|null|-?\d+(?:\.\d+)?)\b/g,
      (whole, string: string | undefined, colon: string | undefined, word: string | undefined) => {
        if (string !== undefined) return `<span class="${colon ? "key" : "str"}">${string}</span>${colon ?? ""}`;
        return word === undefined ? whole : `<span class="num">${word}</span>`;
      },
    );
  return escaped(text);
}
