/**
 * Does a response keep the promises of the document? Stricter than openapi-backend, which takes an undeclared status for
 * valid, overlooks missing headers and knows nothing of answers that belong to no path.
 */
import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { type Document, type OperationObject, type ResponseObject, readDocument } from "../../src/api/document";
import { json_type } from "../../src/api/envelope";

/** Names in lower case, as Node gives them. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What HTTP itself adds to an answer. */
const of_http = new Set(["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"]);
const base = "openapi.json";

function pointer(...parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

interface Header {
  readonly name: string;
  readonly required: boolean;
  readonly valid: ValidateFunction;
}

/** One declared response, compiled. */
interface Declared {
  readonly headers: readonly Header[];
  /** By media type. */
  readonly content: ReadonlyMap<string, ValidateFunction>;
}

export class Conformity {
  private readonly document: Document = readDocument();
  private readonly ajv = new Ajv2020({ allErrors: true, strict: false });
  /** Where each operation and pseudo-operation stands. */
  private readonly operations = new Map<string, { readonly at: string; readonly operation: OperationObject }>();
  private readonly compiled = new Map<string, Declared>();

  constructor() {
    addFormats(this.ajv);
    // Requests alone use these: here they are only names.
    for (const name of ["http-url", "re2"]) this.ajv.addFormat(name, true);
    this.ajv.addSchema(this.document, base);
    for (const [path, item] of Object.entries(this.document.paths))
      for (const [method, operation] of Object.entries(item))
        if (operation.operationId !== undefined)
          this.operations.set(operation.operationId, { at: pointer("paths", path, method), operation });
    for (const [id, operation] of Object.entries(this.document["x-pseudo-operations"]))
      this.operations.set(id, { at: pointer("x-pseudo-operations", id), operation });
  }

  /**
   * What is wrong with a response; empty: nothing.
   *
   * Answers that are given below the router (`http.*`) may come in place of those of any operation.
   *
   * @param id operation or pseudo-operation
   * @param headers of the response, names in lower case
   * @param body null: a response to HEAD, whose body is not looked at
   */
  errors(id: string, status: number, headers: ResponseHeaders, body: string | Buffer | null): string[] {
    if (!this.operations.has(id)) return [`there is no operation ${id}`];
    const own = this.against(id, status, headers, body);
    if (own.length === 0) return own;
    for (const name of this.operations.keys())
      if (name.startsWith("http.") && this.against(name, status, headers, body).length === 0) return [];
    return own;
  }

  private against(id: string, status: number, headers: ResponseHeaders, body: string | Buffer | null): string[] {
    const declared = this.declared(id, status);
    if (declared === null) return [`${id} does not declare ${status}`];
    const where = `${id} ${status}`;
    const wrong: string[] = [];
    for (const { name, required, valid } of declared.headers) {
      const value = headers[name];
      if (value === undefined) {
        if (required) wrong.push(`${where}: no header ${name}`);
      } else if (!valid(value)) wrong.push(`${where}: header ${name}: ${this.ajv.errorsText(valid.errors)}`);
    }
    const names = new Set(declared.headers.map(({ name }) => name));
    for (const name of Object.keys(headers))
      if (!names.has(name) && !of_http.has(name)) wrong.push(`${where}: header ${name} is not declared`);
    return wrong.concat(this.content(where, declared, String(headers["content-type"]), body));
  }

  private content(where: string, declared: Declared, type: string, body: string | Buffer | null): string[] {
    const media = type === json_type ? "application/json" : type;
    const valid = type === "application/json" ? undefined : declared.content.get(media);
    if (valid === undefined) return [`${where}: Content-Type ${type} is not declared`];
    if (body === null || media !== "application/json") return [];
    let value: unknown;
    try {
      value = JSON.parse(String(body));
    } catch (error) {
      return [`${where}: the body is no JSON: ${error}`];
    }
    return valid(value) ? [] : [`${where}: ${this.ajv.errorsText(valid.errors, { dataVar: "body" })}`];
  }

  private declared(id: string, status: number): Declared | null {
    const key = `${id} ${status}`;
    const known = this.compiled.get(key);
    if (known) return known;
    const found = this.operations.get(id);
    const response = found?.operation.responses[status];
    if (!found || !response) return null;
    const declared = this.compile(`${found.at}${pointer("responses", String(status))}`, response);
    this.compiled.set(key, declared);
    return declared;
  }

  private compile(at: string, response: ResponseObject): Declared {
    const schemaAt = (place: string) => this.ajv.compile({ $ref: `${base}#${place}` });
    const headers = Object.entries(response.headers ?? {}).map(([name, header]) => {
      const shared = header.$ref?.split("/").at(-1);
      const { required } = shared === undefined ? header : (this.document.components.headers[shared] ?? {});
      const place = header.$ref?.slice(1) ?? `${at}${pointer("headers", name)}`;
      return { name: name.toLowerCase(), required: required === true, valid: schemaAt(`${place}/schema`) };
    });
    const content = new Map<string, ValidateFunction>();
    for (const media of Object.keys(response.content ?? {}))
      content.set(media, schemaAt(`${at}${pointer("content", media, "schema")}`));
    return { headers, content };
  }
}

let shared: Conformity | null = null;

/** {@link Conformity.errors}, compiled at the first call. */
export function responseErrors(
  id: string,
  status: number,
  headers: ResponseHeaders,
  body: string | Buffer | null,
): string[] {
  shared ??= new Conformity();
  return shared.errors(id, status, headers, body);
}
