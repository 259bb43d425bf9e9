import { type Catalogue, type Document, type Guard, type GuardValue, operationsOf } from "./document";
import type { Policy } from "./policy";

/** The guard that comes before all others: what was handed back is nobody's to command. */
const FIRST = "not_handed_back";

/** Each guard asks for something that can be true, and stands at a command of sessions. */
export function guardMistakes(document: Document, catalogue: Catalogue, all: readonly Policy[]): string[] {
  const found: string[] = [];
  const used = new Set<string>();
  const policies = new Map(all.map((policy) => [policy.id, policy]));
  for (const { operation } of operationsOf(document)) {
    const { operationId: id = "", "x-guards": names = [] } = operation;
    const policy = policies.get(id);
    if (!policy) continue;
    for (const name of names) used.add(name);
    const commanded = policy.command?.of === "session";
    if (commanded && names[0] !== FIRST) found.push(`${id}: the first guard of a session command is ${FIRST}`);
    if (!commanded && names.length > 0) found.push(`${id}: x-guards are for commands of sessions`);
    for (const [index, guard] of policy.guards.entries()) {
      if (policy.room !== "body" && listed(guard).some((value) => value === "$room_id" || value === "$room_node"))
        found.push(`${id}: guard ${names[index]} compares with a room that the body does not name`);
    }
  }
  const possible = values(document);
  for (const [name, guard] of Object.entries(document["x-guards"])) {
    if (!used.has(name)) found.push(`x-guards: no operation has ${name}`);
    for (const mistake of definitionMistakes(guard, catalogue, possible)) found.push(`x-guards: ${name}: ${mistake}`);
  }
  return found;
}

/** What each field of a guard can be. States are those that the document shows of a session. */
function values(document: Document): ReadonlyMap<string, readonly unknown[]> {
  return new Map(
    Object.entries({
      state: document.components.schemas.Session?.properties?.state?.enum ?? [],
      room_id: [null, "$room_id"],
      muted: [true, false],
      recording: [true, false],
      node: ["$room_node"],
    } satisfies Record<Guard["field"], readonly unknown[]>),
  );
}

function definitionMistakes(
  guard: Guard,
  catalogue: Catalogue,
  possible: ReadonlyMap<string, readonly unknown[]>,
): string[] {
  const found: string[] = [];
  if ((guard.one_of === undefined) === (guard.none_of === undefined) || listed(guard).length === 0)
    found.push("needs values, either in one_of or in none_of");
  const known = possible.get(guard.field);
  if (!known) found.push(`a session has no field ${guard.field}`);
  // A value that never comes would make the guard refuse everything, or nothing.
  for (const value of listed(guard)) {
    if (known && !known.includes(value)) found.push(`${guard.field} is never ${JSON.stringify(value)}`);
  }
  const error = catalogue.errors[guard.error];
  if (error?.status !== 409 || error.step !== 12) found.push(`${guard.error} is no 409 of step 12`);
  return found;
}

function listed({ one_of = [], none_of = [] }: Guard): readonly GuardValue[] {
  return [...one_of, ...none_of];
}
