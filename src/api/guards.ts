/** What the document demands of the state of a call, as the store is asked to check it. */
import type { ErrorCode } from "../contract";
import { nodeOf } from "../ids";
import type { Guard } from "../store/store";
import type { JsonObject } from "./body";

type Value = string | boolean | null;

/** As the document has it: a value that begins with `$` stands for something of the body. */
interface DeclaredGuard {
  readonly field: Guard["field"];
  readonly one_of?: readonly Value[];
  readonly none_of?: readonly Value[];
  readonly error: ErrorCode;
}

function roomOf({ room_id }: JsonObject): string | null {
  return typeof room_id === "string" ? room_id : null;
}

const standsFor = new Map<Value, (body: JsonObject) => Value>([
  ["$room_id", roomOf],
  ["$room_node", (body) => nodeOf(roomOf(body) ?? "")],
]);

/** A word that stands for nothing in this body is null, which no field is but that of a call outside of rooms. */
const resolved = (values: readonly Value[], body: JsonObject): Value[] =>
  values.map((value) => {
    const word = standsFor.get(value);
    return word === undefined ? value : word(body);
  });

/** Looked at once per operation: most guards are the same for each of its requests. */
export function guardsOf(declared: readonly DeclaredGuard[]): (body: JsonObject) => readonly Guard[] {
  const words = declared.flatMap(({ one_of = [], none_of = [] }) => [...one_of, ...none_of]);
  if (!words.some((word) => standsFor.has(word))) return () => declared;
  return (body) =>
    declared.map(({ one_of, none_of, ...guard }) => ({
      ...guard,
      ...(one_of && { one_of: resolved(one_of, body) }),
      ...(none_of && { none_of: resolved(none_of, body) }),
    }));
}
