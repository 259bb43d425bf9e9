import type {
  Catalogue,
  CatalogueError,
  Document,
  Guard,
  Method,
  Operation,
  Schema,
} from "../../scripts/spec/document";
import { expand } from "../../scripts/spec/expand";
import { lint } from "../../scripts/spec/lint";
import { type Policy, policies } from "../../scripts/spec/policy";
import { readSource } from "../../scripts/spec/source";

/** The sources, ready to be changed. */
export interface Draft {
  readonly document: Document;
  readonly catalogue: Catalogue;
  operation(path: string, method?: Method): Operation;
  event(name: string): Operation;
  guard(name: string): Guard;
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

type Change = (draft: Draft) => void;

async function changed(change: Change): Promise<{ readonly document: Document; readonly catalogue: Catalogue }> {
  const { document, catalogue } = await source();
  const schema = (name: string) => sure(document.components.schemas[name]);
  change({
    document,
    catalogue,
    operation: (path, method = "post") => sure(document.paths[path]?.[method]),
    event: (name) => sure(document.webhooks[name]).post,
    guard: (name) => sure(document["x-guards"][name]),
    schema,
    field: (body, name) => sure(schema(body).properties?.[name]),
    error: (code) => sure(catalogue.errors[code]),
  });
  return { document, catalogue };
}

/** What the lint says of the sources of this project after a change. */
export async function after(change: Change): Promise<string[]> {
  const { document, catalogue } = await changed(change);
  return lint(document, catalogue, policies(document, catalogue));
}

/** The policy of an operation after a change. */
export async function policyAfter(id: string, change: Change = () => {}): Promise<Policy> {
  const { document, catalogue } = await changed(change);
  return sure(policies(document, catalogue).find((policy) => policy.id === id));
}

/** The document as it is served, after a change of its sources. */
export async function expandedAfter(change: Change = () => {}): Promise<Document> {
  const { document, catalogue } = await changed(change);
  expand(document, catalogue, policies(document, catalogue));
  return document;
}

/** Path of a session command. */
export const command = (name: string) => `/api/v1/sessions/{uuid}/commands/${name}`;
/** Path of a room command. */
export const roomCommand = (name: string) => `/api/v1/conferences/{room_id}/${name}`;
/** A list without one of its words. */
export const drop = (list: readonly string[] | undefined, word: string) => sure(list).filter((item) => item !== word);
