/** How far a list was read, opaque to callers: what is in it may change. */
import type { PageMark } from "../store/store";

export function formatCursor({ created_at, id }: PageMark): string {
  return Buffer.from(`${created_at}.${id}`).toString("base64url");
}

/** Null: this was never a cursor. */
export function parseCursor(text: string): PageMark | null {
  const match = /^(\d{1,15})\.(.{1,128})$/.exec(Buffer.from(text, "base64url").toString("utf8"));
  return match?.[1] && match[2] ? { created_at: Number(match[1]), id: match[2] } : null;
}
