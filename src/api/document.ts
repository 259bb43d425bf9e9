/** The OpenAPI document as it was generated. */
import { readFileSync } from "node:fs";
import path from "node:path";

/** As much of the document as is looked at here; `openapi-backend` reads the same file for the rest. */
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly headers: Readonly<Record<string, HeaderObject>>;
    readonly securitySchemes: Readonly<Record<string, { readonly name: string }>>;
  };
  readonly "x-pseudo-operations": Readonly<Record<string, OperationObject>>;
}

export interface OperationObject {
  readonly operationId?: string;
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

export interface ResponseObject {
  readonly headers?: Readonly<Record<string, HeaderObject>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface HeaderObject {
  readonly $ref?: string;
  readonly required?: boolean;
}

export const documentPath = path.join(__dirname, "../../../generated/openapi.json");

/** References are left as they are. */
export function readDocument(): Document {
  return JSON.parse(readFileSync(documentPath, "utf8"));
}
