import type { Catalogue, CatalogueError, Document, Operation, Schema } from "../../scripts/spec/document";
import { lint } from "../../scripts/spec/lint";
import { policies } from "../../scripts/spec/policy";
import { readSource } from "../../scripts/spec/source";

/** The sources, ready to be changed. */
export interface Draft {
  readonly document: Document;
  readonly catalogue: Catalogue;
  operation(path: string, method?: "get" | "post"): Operation;
  schema(name: string): Schema;
  field(body: string, name: string): Schema;
  error(code: string): CatalogueError;
}

/** What a change counts on being there. */
export function sure<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the change names what is not there");
  return value;
}

let read: ReturnType<typeof readSource> | undefined;
async function source(): ReturnType<typeof readSource> {
  read ??= readSource(process.cwd());
  return structuredClone(await read);
}

/** What the lint says of the sources of this project after a change. */
export async function after(change: (draft: Draft) => void): Promise<string[]> {
  const { document, catalogue } = await source();
  const schema = (name: string) => sure(document.components.schemas[name]);
  change({
    document,
    catalogue,
    operation: (path, method = "post") => sure(document.paths[path]?.[method]),
    schema,
    field: (body, name) => sure(schema(body).properties?.[name]),
    error: (code) => sure(catalogue.errors[code]),
  });
  return lint(document, catalogue, policies(document, catalogue));
}

/** Path of a session command. */
export const command = (name: string) => `/api/v1/sessions/{uuid}/commands/${name}`;
/** A list without one of its words. */
export const drop = (list: readonly string[] | undefined, word: string) => sure(list).filter((item) => item !== word);
