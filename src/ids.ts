/**
 * The form of ids: a call is `<node>-<uuid>`, a room `<node>-room-<uuid>`. Parsed from the right; no node is called `room`,
 * and none has a hyphen in its name.
 */
import { randomUUID } from "node:crypto";

/** A uuid and the hyphen before it. */
const uuidLength = 37;
const roomMark = "-room";

/** The media node that holds a call or a room; "" when the text has no such form. */
export function nodeOf(id: string): string {
  const prefix = id.slice(0, -uuidLength);
  return prefix.endsWith(roomMark) ? prefix.slice(0, -roomMark.length) : prefix;
}

export function isRoom(id: string): boolean {
  return id.slice(0, -uuidLength).endsWith(roomMark);
}

/** What an app is called: what has another form is no app's. */
export const appIdForm = /^[a-zA-Z0-9_-]{1,64}$/;

export function newRoomId(node: string): string {
  return `${node}${roomMark}-${randomUUID()}`;
}
