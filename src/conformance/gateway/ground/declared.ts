/** Whose answer something is, by the document. */
import {
  type errors,
  type OperationId,
  operations,
  type PseudoOperationId,
  triples,
} from "../../../../generated/operations";

export type AnswerId = OperationId | PseudoOperationId;

const unknownCommand = /^\/api\/v1\/sessions\/[^/]+\/commands\/./;
const templates = Object.entries(operations).map(([id, { method, path }]) => {
  const pattern = path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+");
  return { id: id as OperationId, method, pattern: new RegExp(`^${pattern}$`) };
});

/**
 * The operation that a request is for; null when there is none.
 * @param target path with the query, or a whole URL
 */
export function operationOf(method: string, target: string): AnswerId | null {
  const [raw = ""] = target.replace(/^https?:\/\/[^/]*/, "").split("?");
  const pathname = raw.replaceAll(/%(?!2f)[2-7][0-9a-f]/gi, (encoded) => decodeURIComponent(encoded));
  const verb = method === "HEAD" ? "GET" : method;
  const found = templates.find((template) => template.method === verb && template.pattern.test(pathname));
  if (found) return found.id;
  const taken = templates.some(({ pattern }) => pattern.test(pathname));
  return verb === "POST" && !taken && unknownCommand.test(pathname) ? "commands.unknown" : null;
}

/**
 * Whose failure this is: the operation's own, else that of what stands below the router. Null when nobody declares it.
 * @param operation null: of a request that belongs to none
 */
export function answererOf(operation: AnswerId | null, status: number, message: string): AnswerId | null {
  const declaring = triples.filter(([, code, text]) => code === status && text === message).map(([id]) => id);
  return declaring.find((id) => id === operation) ?? declaring.find((id) => id.startsWith("http.")) ?? null;
}

/** Status, text and code of an error, as the catalogue has them. */
export type ErrorCode = keyof typeof errors;

/** Operations that are commands. */
export type Commands = {
  [O in keyof typeof operations]: (typeof operations)[O]["command"] extends null ? never : O;
}[keyof typeof operations];

/** Operations that are commands of a call. */
export type SessionCommand = Extract<Commands, string> &
  { [O in Commands]: (typeof operations)[O]["session"] extends "path" ? O : never }[Commands];
/** Operations that are commands of a room. */
export type RoomCommand = Exclude<Commands, SessionCommand>;
