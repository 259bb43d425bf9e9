/**
 * What is different between two documents for those who build against them, and what of it breaks them. Breaking is what
 * a client or receiver that kept the earlier document, and ignores what it does not know, can stumble over.
 */
import type { Field } from "./flat";
import { differenceOf, type Shift } from "./narrowing";
import { type Fields, type OperationSurface, type Published, type Surface, surfaceOf } from "./surface";

export interface Change {
  readonly change: "added" | "removed" | "changed";
  readonly what: "operation" | "parameter" | "field" | "answer" | "error" | "event" | "limit";
  /** The operation, error or event. */
  readonly of: string;
  /** What is meant, for people: `body urls`, `answer 200 state: value early added`. */
  readonly about: string;
  readonly breaking: boolean;
}

/** @param before null: there was none */
export function changesBetween(before: Published | null, after: Published): Change[] {
  const none: Published = { info: after.info, paths: {}, components: { schemas: {} } };
  const [one, other] = [surfaceOf(before ?? none), surfaceOf(after)];
  return [...operationChanges(one, other), ...eventChanges(one, other), ...errorChanges(one, other)];
}

/** Names of both, those of the later document first. */
function names(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...other.keys(), ...one.keys()])];
}

function operationChanges(one: Surface, other: Surface): Change[] {
  return names(one.operations, other.operations).flatMap((id) => {
    const [before, after] = [one.operations.get(id), other.operations.get(id)];
    if (!before) return [{ change: "added", what: "operation", of: id, about: after?.request ?? "", breaking: false }];
    if (!after) return [{ change: "removed", what: "operation", of: id, about: before.request, breaking: true }];
    return [
      ...ownChanges(id, before, after),
      ...fieldChanges(id, "parameter", "", before.parameters, after.parameters, one, other, "taken"),
      ...fieldChanges(id, "field", "body ", before.body, after.body, one, other, "taken"),
      ...names(before.answers, after.answers).flatMap((status): Change[] => {
        const [was, is] = [before.answers.get(status), after.answers.get(status)];
        if (!was) return [{ change: "added", what: "answer", of: id, about: status, breaking: status !== "304" }];
        if (!is) return [{ change: "removed", what: "answer", of: id, about: status, breaking: true }];
        return fieldChanges(id, "field", `answer ${status} `, was, is, one, other, "given");
      }),
    ];
  });
}

function ownChanges(id: string, before: OperationSurface, after: OperationSurface): Change[] {
  const found: Change[] = [];
  const changed = (what: Change["what"], about: string, breaking: boolean) =>
    found.push({ change: "changed", what, of: id, about, breaking });
  if (before.request !== after.request) changed("operation", `${before.request} → ${after.request}`, true);
  if (before.credentials !== after.credentials)
    changed("operation", `credentials ${before.credentials} → ${after.credentials}`, after.credentials !== "none");
  const limits = [before.bodyLimit ?? 0, after.bodyLimit ?? 0] as const;
  // What had none ignored every body.
  if (limits[0] !== limits[1])
    changed(
      "limit",
      `bytes of the body ${before.bodyLimit ?? "any"} → ${after.bodyLimit ?? "any"}`,
      limits[0] !== 0 && limits[1] < limits[0],
    );
  const [slow, slower] = [before.cooldown ?? 0, after.cooldown ?? 0];
  if (slow !== slower) changed("limit", `cooldown ${slow} ms → ${slower} ms`, slower > slow);
  for (const event of after.emits) if (!before.emits.has(event)) changed("operation", `can cause ${event}`, false);
  for (const event of before.emits)
    if (!after.emits.has(event)) changed("operation", `does not cause ${event} any more`, true);
  for (const code of after.errors) if (!before.errors.has(code)) changed("answer", `can fail with ${code}`, false);
  for (const code of before.errors)
    if (!after.errors.has(code)) changed("answer", `does not fail with ${code} any more`, false);
  return found;
}

/** What the gateway takes may become wider, what it gives narrower. */
type Direction = "taken" | "given";
const breaks: Readonly<Record<Direction, readonly Shift[]>> = {
  taken: ["narrower", "other"],
  given: ["wider", "other"],
};

function fieldChanges(
  of: string,
  what: "parameter" | "field",
  place: string,
  before: Fields,
  after: Fields,
  one: Surface,
  other: Surface,
  direction: Direction,
): Change[] {
  return names(before, after).flatMap((name): Change[] => {
    const [was, is] = [before.get(name), after.get(name)];
    const about = `${place}${name}`;
    if (!was && is) {
      // What lies in an object that is new itself is told of with it.
      if (parent(name) !== null && !before.has(parent(name) ?? "") && after.has(parent(name) ?? "")) return [];
      const needed = direction === "taken" && is.required;
      return [{ change: "added", what, of, about: needed ? `${about}, required` : about, breaking: needed }];
    }
    if (was && !is) {
      if (parent(name) !== null && !after.has(parent(name) ?? "") && before.has(parent(name) ?? "")) return [];
      return [{ change: "removed", what, of, about, breaking: true }];
    }
    if (!was || !is) return [];
    return changedField(was, is, one, other, direction).map(({ about: how, breaking }) => {
      return { change: "changed", what, of, about: `${about}: ${how}`, breaking };
    });
  });
}

/** `script[].ms` → `script` */
function parent(name: string): string | null {
  const dot = name.lastIndexOf(".");
  return dot === -1 ? null : name.slice(0, dot).replace(/\[\]$/, "");
}

function changedField(
  was: Field,
  is: Field,
  one: Surface,
  other: Surface,
  direction: Direction,
): Pick<Change, "about" | "breaking">[] {
  const found: Pick<Change, "about" | "breaking">[] = [];
  if (was.required !== is.required)
    found.push({
      about: is.required ? "required" : "may be left out",
      breaking: direction === "taken" ? is.required : was.required,
    });
  const { shift, about } = differenceOf(was.schema, is.schema, one.resolved, other.resolved);
  if (shift !== "same") found.push({ about, breaking: breaks[direction].includes(shift) });
  const [old, now] = [one.resolved(was.schema).default, other.resolved(is.schema).default].map((value) =>
    JSON.stringify(value),
  );
  // Whoever leaves it out gets something else; one that had none is asked of nobody.
  if (direction === "taken" && old !== now)
    found.push({ about: `default ${old ?? "none"} → ${now ?? "none"}`, breaking: old !== undefined });
  return found;
}

function eventChanges(one: Surface, other: Surface): Change[] {
  return names(one.events, other.events).flatMap((name): Change[] => {
    const [before, after] = [one.events.get(name), other.events.get(name)];
    if (!before) return [{ change: "added", what: "event", of: name, about: "", breaking: false }];
    if (!after) return [{ change: "removed", what: "event", of: name, about: "", breaking: true }];
    return fieldChanges(name, "field", "data ", before, after, one, other, "given");
  });
}

function errorChanges(one: Surface, other: Surface): Change[] {
  return names(one.errors, other.errors).flatMap((code): Change[] => {
    const [before, after] = [one.errors.get(code), other.errors.get(code)];
    const told = one.results.has(code) === other.results.has(code) ? [] : [resultChange(code, other.results.has(code))];
    if (before === after) return told;
    if (before === undefined)
      return [{ change: "added", what: "error", of: code, about: after ?? "", breaking: false }];
    if (after === undefined) return [{ change: "removed", what: "error", of: code, about: before, breaking: false }];
    return [{ change: "changed", what: "error", of: code, about: `${before} → ${after}`, breaking: true }];
  });
}

/** That a command can fail with one more code is no more a surprise than that an answer can. */
function resultChange(code: string, is: boolean): Change {
  const about = is ? "can be told by command.result" : "is not told by command.result any more";
  return { change: "changed", what: "error", of: code, about, breaking: false };
}
