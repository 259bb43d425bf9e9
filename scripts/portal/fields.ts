/** JSON Schema as tables for people: one row per field, nested ones below their own. */

import { flatFields } from "../spec/flat";
import type { Book, Header, Json, Parameter, Schema } from "./book";
import { type Content, type Html, html, joined } from "./html";
import { type Links, table } from "./links";
import type { Markdown } from "./markdown";

export class Fields {
  constructor(
    private readonly book: Book,
    private readonly links: Links,
    private readonly markdown: Markdown,
  ) {}

  /**
   * @param prefix of the anchors, such as `body-`
   * @param errors by field, of what the gateway is given; null: it gives this itself
   * @returns null for a schema without fields
   */
  table(
    label: string,
    schema: Schema,
    prefix: string,
    errors: Readonly<Record<string, object>> | null = null,
  ): Content {
    const rows = flatFields((one) => this.book.resolved(one), schema);
    const asked = errors !== null && Object.keys(errors).length > 0;
    const presence = (required: boolean) => {
      if (errors !== null) return required ? html` <b class="required">required</b>` : null;
      return required ? null : html` <b class="optional">not always</b>`;
    };
    return table(
      label,
      ["Field", "Type", "Meaning", ...(asked ? ["When it is wrong"] : [])],
      rows.map(({ name, schema, required }) => [
        html`<span id="${prefix}${name}">${this.links.code(name)}</span>${presence(required)}${schema.deprecated ? html` <b class="deprecated">deprecated</b>` : null}`,
        this.type(schema),
        this.meaning(schema),
        ...(asked ? [this.#wrong(errors[name])] : []),
      ]),
    );
  }

  parameters(label: string, parameters: readonly Parameter[], errors: Readonly<Record<string, object>>): Content {
    const asked = parameters.some(({ name }) => errors[name] !== undefined);
    return table(
      label,
      ["Name", "In", "Type", "Meaning", ...(asked ? ["When it is wrong"] : [])],
      parameters.map(({ name, in: place, required, description, schema }) => [
        html`<span id="${place}-${name}">${this.links.code(name)}</span>${required ? html` <b class="required">required</b>` : null}`,
        place,
        this.type(schema),
        this.meaning({ ...schema, ...(description !== undefined && { description }) }),
        ...(asked ? [this.#wrong(errors[name])] : []),
      ]),
    );
  }

  headers(headers: Readonly<Record<string, Header>>): Content {
    return table(
      "Headers of the answer",
      ["Header", "Meaning"],
      Object.entries(headers).map(([name, given]) => {
        const { description = "", required, schema } = this.book.header(given);
        const meaning = [
          schema.const === undefined ? null : html`always <code>${String(schema.const)}</code>. `,
          description === "" ? null : this.markdown.line(description),
          required ? null : " Not in every answer.",
        ];
        return [html`<code>${name}</code>`, meaning];
      }),
    );
  }

  /** `integer 0–86400`, `array of string, 1–128 entries` */
  type(given: Schema): Html {
    const schema = this.book.resolved(given);
    return html`${joined(this.#bounds(schema), ", ")}`;
  }

  meaning(given: Schema): Html {
    const schema = { ...this.book.resolved(given), ...given };
    const { description, enum: values, const: fixed } = schema;
    return html`${description === undefined ? null : this.markdown.line(description)}${
      values === undefined
        ? null
        : html` One of ${joined(
            values.map((value) => this.#value(value)),
            ", ",
          )}.`
    }${fixed === undefined ? null : html` Always ${this.#value(fixed)}.`}${
      schema.default === undefined ? null : html` Default ${this.#value(schema.default)}.`
    }`;
  }

  #value(value: Json): Html {
    return this.links.value(typeof value === "string" ? value : JSON.stringify(value));
  }

  #bounds(schema: Schema): Content[] {
    const { type, format, pattern, items, minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
    const types = typeof type === "string" ? [type] : (type ?? []);
    const name = types.filter((one) => one !== "null").join(" or ") || (schema.oneOf ? "object" : "any");
    const of = items ? this.book.resolved(items) : undefined;
    const inner = of ? html` of ${(of.properties ?? of.oneOf) ? "objects" : this.type(of)}` : null;
    return [
      html`${name}${inner}`,
      ...(types.includes("null") ? ["or null"] : []),
      ...(format === undefined || format === "binary" ? [] : [format]),
      ...range(minimum, maximum, ""),
      ...range(minLength, maxLength, " characters"),
      ...range(minItems, maxItems, " entries"),
      ...(schema.uniqueItems ? ["each at most once"] : []),
      ...(pattern === undefined ? [] : [html`<code class="pattern">${pattern}</code>`]),
    ];
  }

  #wrong(errors: object | undefined): Content {
    const codes = new Set(Object.values(errors ?? {}).map(String));
    return joined(
      [...codes].map((code) => this.links.code(code)),
      html`<br>`,
    );
  }
}

function range(least: number | undefined, most: number | undefined, unit: string): string[] {
  if (least === undefined && most === undefined) return [];
  const grouped = (value: number) => value.toLocaleString("en").replaceAll(",", "\u202f");
  if (least === undefined || most === undefined)
    return [`${least === undefined ? `at most ${grouped(most ?? 0)}` : `at least ${grouped(least)}`}${unit}`];
  return [`${grouped(least)} to ${grouped(most)}${unit}`];
}
