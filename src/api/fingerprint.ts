/** How a command is told from another one that came with the same uid. */
import { hash } from "node:crypto";
import type { JsonObject } from "./body";

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(",")}}`;
}

/** What makes two commands the same one: the name, and the body after validation and defaults, without its uid. */
export function fingerprint(command: string, { command_uid: _, ...body }: JsonObject): string {
  return hash("sha256", `${command}\n${canonical(body)}`, "base64url");
}
