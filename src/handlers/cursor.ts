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

/** What the store calls a place in the list of dead letters, marked so that what another list gave out is not taken for it. */
const letterMark = "letters:";

export function formatLetterCursor(next: number): string {
  return Buffer.from(letterMark + next).toString("base64url");
}

/** Null: this was never a cursor of that list. */
export function parseLetterCursor(text: string): number | null {
  const place = Buffer.from(text, "base64url").toString("utf8");
  const number = place.slice(letterMark.length);
  // A store may count in microseconds: those of our time have 16 digits.
  const known = place.startsWith(letterMark) && /^\d{1,16}$/.test(number) && Number.isSafeInteger(Number(number));
  return known ? Number(number) : null;
}
