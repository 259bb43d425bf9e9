/** The contract as the pages read it: the generated document, the catalogue and the policies, put together by name. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { errors, eventSources, operations, pseudoOperations } from "../../generated/operations";
import type { ErrorCode, EventName, OperationId, PseudoOperationId } from "../../src/contract";
import type { Value as Json, Schema } from "../spec/flat";

export type { Schema, Value as Json } from "../spec/flat";

export interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface Header {
  readonly $ref?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: Json;
}

interface MediaType {
  readonly schema: Schema;
  readonly example?: Json;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

interface OperationObject {
  readonly operationId: OperationId;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: { readonly "application/json": MediaType & { readonly example: Json } };
  };
  readonly responses: Readonly<Record<string, Response>>;
}

interface WebhookObject {
  readonly summary: string;
  readonly description?: string;
  readonly requestBody: {
    readonly content: { readonly "application/json": { readonly schema: Schema; readonly example: Json } };
  };
}

interface Document {
  readonly info: { readonly version: string; readonly summary: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, OperationObject>> & { readonly parameters?: readonly Parameter[] }>
  >;
  readonly webhooks: Readonly<Record<string, { readonly post: WebhookObject }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly headers: Readonly<Record<string, Header>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
  };
  readonly "x-rate-groups": Readonly<Record<string, number>>;
  readonly "x-pseudo-operations": Readonly<Record<string, { readonly summary: string; readonly description?: string }>>;
}

export type Policy = (typeof operations)[OperationId];

export interface Operation {
  readonly id: OperationId;
  readonly policy: Policy;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly schema: Schema; readonly example: Json } | null;
  /** Of success. */
  readonly responses: readonly (readonly [status: string, response: Response])[];
  readonly failures: readonly ErrorCode[];
  readonly emits: readonly EventName[];
}

export interface Event {
  readonly name: EventName;
  readonly summary: string;
  readonly description: string;
  readonly source: (typeof eventSources)[EventName];
  /** Of `data`. */
  readonly data: Schema;
  readonly example: Json;
  readonly causes: readonly Operation[];
}

export interface CatalogueError {
  readonly code: ErrorCode;
  readonly status: number | null;
  readonly step: number | null;
  readonly message: string;
  readonly cause: string;
  readonly fix: string;
  readonly provoke: string;
  /** Also an error of `command.result`. */
  readonly result: boolean;
  /** Schema of its `detail`. */
  readonly detail: Schema | null;
  readonly operations: readonly (OperationId | PseudoOperationId)[];
}

/** @throws when the generated document and the generated policies are not of one make */
export class Book {
  readonly document: Document;
  readonly operations: readonly Operation[];
  readonly events: readonly Event[];
  readonly errors: readonly CatalogueError[];

  /** @param root of the project */
  constructor(root: string) {
    this.document = JSON.parse(readFileSync(path.join(root, "generated/openapi.json"), "utf8"));
    this.operations = Object.values(this.document.paths).flatMap(({ parameters = [], ...methods }) =>
      Object.values(methods).map((operation) => this.#operation(operation, parameters)),
    );
    this.events = namesOf(eventSources).map((name) => this.#event(name));
    this.errors = namesOf(errors).map((code) => this.#error(code));
  }

  operation(id: OperationId): Operation {
    return found(
      this.operations.find((operation) => operation.id === id),
      id,
    );
  }

  error(code: ErrorCode): CatalogueError {
    return found(
      this.errors.find((error) => error.code === code),
      code,
    );
  }

  /** What stands for requests that belong to no path. */
  get pseudo(): readonly { readonly id: PseudoOperationId; readonly summary: string }[] {
    return namesOf(pseudoOperations).map((id) => ({
      id,
      summary: found(this.document["x-pseudo-operations"][id], id).summary,
    }));
  }

  /** The schema that a reference points at, else the schema itself. */
  resolved(schema: Schema): Schema {
    const name = schema.$ref?.split("/").at(-1);
    return name === undefined ? schema : this.resolved(found(this.document.components.schemas[name], name));
  }

  header(header: Header): Header {
    const name = header.$ref?.split("/").at(-1);
    return name === undefined ? header : found(this.document.components.headers[name], name);
  }

  #operation(operation: OperationObject, shared: readonly Parameter[]): Operation {
    const { operationId: id, summary, description = "", parameters = [], requestBody, responses } = operation;
    const policy = found(operations[id], id);
    const media = requestBody?.content["application/json"];
    return {
      id,
      policy,
      summary,
      description,
      parameters: [...shared, ...parameters].map((parameter) => {
        const name = parameter.$ref?.split("/").at(-1);
        return name === undefined ? parameter : found(this.document.components.parameters[name], name);
      }),
      body: media
        ? { required: requestBody?.required ?? false, schema: this.resolved(media.schema), example: media.example }
        : null,
      responses: Object.entries(responses).filter(([status]) => Number(status) < 400),
      failures: policy.failures,
      emits: policy.emits,
    };
  }

  #event(name: EventName): Event {
    const { summary, description = "", requestBody } = found(this.document.webhooks[name], name).post;
    const { schema, example } = requestBody.content["application/json"];
    const whole = this.resolved(schema);
    const frame = whole.oneOf ? this.resolved(found(whole.oneOf[0], name)) : whole;
    const data = this.resolved(found(frame.properties?.data, name));
    const causes = this.operations.filter(({ emits }) => emits.includes(name));
    return { name, summary, description, source: eventSources[name], data, example, causes };
  }

  #error(code: ErrorCode): CatalogueError {
    const error: Omit<CatalogueError, "code" | "detail" | "result"> & { readonly result?: boolean } = errors[code];
    const pascal = code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const detail = this.document.components.schemas[`${pascal}Error`]?.properties?.detail ?? null;
    return { ...error, code, result: error.result ?? false, detail };
  }
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`generated/ is not of one make: there is no ${name}; run npm run generate`);
  return value;
}

/** Keys of a constant, as what they are. */
function namesOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[];
}
