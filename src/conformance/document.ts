/** What the kit reads in the document itself: the version of the contract, and the webhooks with their examples. */
import { readFileSync } from "node:fs";
import path from "node:path";

/** As much of JSON Schema as the events are written in. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
}

interface Webhook {
  readonly post: {
    readonly summary: string;
    readonly requestBody: {
      readonly content: {
        readonly "application/json": { readonly schema: Schema; readonly example: Readonly<Record<string, unknown>> };
      };
    };
  };
}

/** A schema of a request: whatever keywords it has are looked at one by one. */
export interface FieldSchema extends Schema {
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly [keyword: string]: unknown;
}

export interface Parameter extends FieldSchema {
  readonly name: string;
  readonly schema: FieldSchema;
}

export interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly content: {
      readonly "application/json": {
        readonly schema: FieldSchema;
        readonly example: Readonly<Record<string, unknown>>;
      };
    };
  };
}

/** Parameters of a path hold for all of its operations. */
type PathItem = Readonly<Record<string, OperationObject>> & { readonly parameters?: readonly Parameter[] };

export interface Contract {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly webhooks: Readonly<Record<string, Webhook>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** The compiled file lies in dist/src/conformance. */
const generated = path.join(__dirname, "../../../generated");
let read: Contract | null = null;

/** Read once. */
export function contract(): Contract {
  read ??= JSON.parse(readFileSync(path.join(generated, "openapi.json"), "utf8")) as Contract;
  return read;
}

/** The catalogue of errors, as `/errors.json` has it. */
export function errorCatalogue(): unknown {
  return JSON.parse(readFileSync(path.join(generated, "errors.json"), "utf8"));
}
