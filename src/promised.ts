/**
 * The answers and webhooks that the document promises, compiled. Stricter than openapi-backend, which takes an undeclared
 * status for valid, overlooks missing headers and knows nothing of answers that belong to no path.
 */
import { readFileSync } from "node:fs";
import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { type Document, documentPath, type OperationObject, type ResponseObject } from "./api/document";
import { json_type } from "./api/envelope";

/** Names in lower case, as Node gives them. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What HTTP itself adds to an answer. */
const ofHttp = new Set(["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"]);
const base = "openapi.json";

function pointer(...parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

interface SchemaObject {
  readonly $ref?: string;
  readonly oneOf?: readonly SchemaObject[];
  readonly allOf?: readonly SchemaObject[];
  readonly properties?: Readonly<Record<string, SchemaObject>>;
  readonly items?: SchemaObject;
  readonly additionalProperties?: boolean;
}

interface WebhookObject {
  readonly post: {
    readonly requestBody: { readonly content: { readonly "application/json": { readonly schema: SchemaObject } } };
  };
}

interface WholeDocument extends Document {
  readonly components: Document["components"] & { readonly schemas: Readonly<Record<string, SchemaObject>> };
  readonly webhooks: Readonly<Record<string, WebhookObject>>;
}

interface Header {
  readonly name: string;
  readonly required: boolean;
  readonly valid: Lazy;
}

/** One declared response, compiled. */
interface Declared {
  readonly headers: readonly Header[];
  /** By media type; empty: without a body. */
  readonly content: ReadonlyMap<string, { readonly schema: SchemaObject; readonly valid: Lazy }>;
}

/** Compiles at its first call. */
type Lazy = () => ValidateFunction;

/** The document's answers and webhooks: each compiled when it is first held against something. */
class Promised {
  readonly #document: WholeDocument = JSON.parse(readFileSync(documentPath, "utf8"));
  /** Schemas that many refer to are compiled once, as they are: so the first of each kind is a matter of few milliseconds. */
  readonly #ajv = new Ajv2020({ strict: false, inlineRefs: false, validateSchema: false, code: { optimize: false } });
  readonly #responses = new Map<string, Map<number, Declared>>();
  readonly #webhooks = new Map<string, Lazy>();
  /** Compiled schemas by where they stand, or by what they say: most answers share theirs. */
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor() {
    addFormats(this.#ajv);
    // Requests alone use these: here they are only names.
    for (const name of ["http-url", "re2"]) this.#ajv.addFormat(name, true);
    this.#ajv.addSchema(this.#document, base);
    for (const [path, item] of Object.entries(this.#document.paths))
      for (const [method, operation] of Object.entries(item))
        if (operation.operationId !== undefined)
          this.#addOperation(operation.operationId, pointer("paths", path, method), operation);
    for (const [id, operation] of Object.entries(this.#document["x-pseudo-operations"]))
      this.#addOperation(id, pointer("x-pseudo-operations", id), operation);
    for (const [event, { post }] of Object.entries(this.#document.webhooks))
      this.#webhooks.set(
        event,
        this.#once(event, () => this.#closed(post.requestBody.content["application/json"].schema)),
      );
  }

  /**
   * What is wrong with a response; empty: nothing.
   *
   * Answers that are given below the router (`http.*`) may come in place of those of any operation.
   *
   * @param id operation or pseudo-operation
   * @param headers of the response, names in lower case
   * @param body null: not looked at
   */
  responseErrors(id: string, status: number, headers: ResponseHeaders, body: string | Buffer | null): string[] {
    if (!this.#responses.has(id)) return [`there is no operation ${id}`];
    const own = this.#against(id, status, headers, body);
    if (own.length === 0) return own;
    for (const name of this.#responses.keys())
      if (name.startsWith("http.") && this.#against(name, status, headers, body).length === 0) return [];
    return own;
  }

  /** What is wrong with a webhook's body; empty: nothing. What the document does not name is wrong as well. */
  webhookErrors(event: string, body: string): string[] {
    const valid = this.#webhooks.get(event);
    if (!valid) return [`there is no webhook ${event}`];
    return this.#json(event, valid(), body);
  }

  #against(id: string, status: number, headers: ResponseHeaders, body: string | Buffer | null): string[] {
    const declared = this.#responses.get(id)?.get(status);
    if (!declared) return [`${id} does not declare ${status}`];
    const where = `${id} ${status}`;
    const wrong: string[] = [];
    for (const header of declared.headers) {
      const { name, required } = header;
      const value = headers[name];
      if (value === undefined) {
        if (required) wrong.push(`${where}: no header ${name}`);
        continue;
      }
      const valid = header.valid();
      if (!valid(value)) wrong.push(`${where}: header ${name}: ${this.#ajv.errorsText(valid.errors)}`);
    }
    for (const name of Object.keys(headers))
      if (!ofHttp.has(name) && !declared.headers.some((header) => header.name === name))
        wrong.push(`${where}: header ${name} is not declared`);
    return wrong.concat(this.#content(where, declared, headers["content-type"], body));
  }

  #content(where: string, { content }: Declared, given: unknown, body: string | Buffer | null): string[] {
    if (content.size === 0) {
      const empty = given === undefined && (body === null || body.length === 0);
      return empty ? [] : [`${where}: a body is not declared`];
    }
    const type = String(given);
    const media = type === json_type ? "application/json" : type;
    const declared = type === "application/json" ? undefined : content.get(media);
    if (declared === undefined) return [`${where}: Content-Type ${type} is not declared`];
    if (body === null || media !== "application/json") return [];
    const wrong = this.#json(where, declared.valid(), String(body));
    if (wrong.length > 0) return wrong;
    return this.#undeclared([declared.schema], JSON.parse(String(body)), "body").map((name) => {
      return `${where}: ${name} is not declared`;
    });
  }

  /** Names of fields that none of the schemas has which this value may be an example of. */
  #undeclared(schemas: readonly SchemaObject[], value: unknown, at: string): string[] {
    const all = schemas.flatMap((schema) => this.#alternatives(schema));
    if (Array.isArray(value)) {
      const items = all.flatMap((schema) => schema.items ?? []);
      return items.length === 0 ? [] : value.flatMap((item, n) => this.#undeclared(items, item, `${at}[${n}]`));
    }
    const open = all.some((schema) => schema.additionalProperties) || all.every((schema) => !schema.properties);
    if (open || typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([name, field]) => {
      const own = all.flatMap((schema) => schema.properties?.[name] ?? []);
      return own.length === 0 ? [`${at}.${name}`] : this.#undeclared(own, field, `${at}.${name}`);
    });
  }

  /** A schema and all that it is made of. */
  #alternatives(schema: SchemaObject): SchemaObject[] {
    const resolved = schema.$ref === undefined ? schema : this.#named(schema);
    const { oneOf = [], allOf = [] } = resolved;
    return [resolved, ...[...oneOf, ...allOf].flatMap((each) => this.#alternatives(each))];
  }

  #json(where: string, valid: ValidateFunction, text: string): string[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Not the message of the error: it quotes the text.
      return [`${where}: the body is no JSON`];
    }
    return valid(value) ? [] : [`${where}: ${this.#ajv.errorsText(valid.errors, { dataVar: "body" })}`];
  }

  #addOperation(id: string, at: string, operation: OperationObject): void {
    const statuses = Object.entries(operation.responses).map(([status, response]) => {
      return [Number(status), this.#response(`${at}${pointer("responses", status)}`, response)] as const;
    });
    this.#responses.set(id, new Map(statuses));
  }

  #response(at: string, response: ResponseObject): Declared {
    const headers = Object.entries(response.headers ?? {}).map(([name, header]) => {
      const shared = header.$ref?.split("/").at(-1);
      const { required } = shared === undefined ? header : (this.#document.components.headers[shared] ?? {});
      const place = header.$ref?.slice(1) ?? `${at}${pointer("headers", name)}`;
      return { name: name.toLowerCase(), required: required === true, valid: this.#at(place, `${place}/schema`) };
    });
    const content = new Map<string, { readonly schema: SchemaObject; readonly valid: Lazy }>();
    for (const [media, { schema }] of Object.entries(response.content ?? {})) {
      const valid = this.#at(JSON.stringify(schema), `${at}${pointer("content", media, "schema")}`);
      content.set(media, { schema, valid });
    }
    return { headers, content };
  }

  #at(key: string, place: string): Lazy {
    return this.#once(key, () => ({ $ref: `${base}#${place}` }));
  }

  #once(key: string, schema: () => object): Lazy {
    return () => {
      const compiled = this.#compiled.get(key) ?? this.#ajv.compile(schema());
      this.#compiled.set(key, compiled);
      return compiled;
    };
  }

  /** The schema of an event, by which nothing may stand in the frame or in its `data` but what is declared. */
  #closed(schema: SchemaObject): object {
    if (schema.oneOf) return { oneOf: schema.oneOf.map((each) => this.#closed(each)) };
    const frame = this.#named(schema);
    if (frame.oneOf) return this.#closed(frame);
    const { data } = frame.properties ?? {};
    if (!data) throw new Error(`${schema.$ref} has no data`);
    const closed = (of: SchemaObject) => ({ $ref: `${base}${of.$ref}`, unevaluatedProperties: false });
    return { ...closed(schema), properties: { data: closed(data) } };
  }

  #named({ $ref }: SchemaObject): SchemaObject {
    const found = this.#document.components.schemas[$ref?.split("/").at(-1) ?? ""];
    if (!found) throw new Error(`${$ref} is no named schema`);
    return found;
  }
}

let shared: Promised | null = null;

/** One for the whole process: it is compiled at the first ask. */
export function promised(): Promised {
  shared ??= new Promised();
  return shared;
}
