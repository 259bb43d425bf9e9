/** How the values that a schema takes have changed: there are more of them, fewer, or others. */
import { type Resolve, type Schema, valuesOf } from "./flat";

export type Shift = "same" | "wider" | "narrower" | "other";

export interface Difference {
  readonly shift: Shift;
  /** `maximum 100 → 200`; empty when it is the same. */
  readonly about: string;
}

/** Bounds that narrow as they grow, and those that widen. */
const lower = ["minimum", "minLength", "minItems"] as const;
const upper = ["maximum", "maxLength", "maxItems"] as const;
/** What cannot be compared but for being there. */
const kinds = ["pattern", "format", "uniqueItems"] as const;

/** @param before, after schemas of one field; `resolve…` follow the references of either */
export function differenceOf(before: Schema, after: Schema, resolveBefore: Resolve, resolveAfter: Resolve): Difference {
  const [one, other] = [resolveBefore(before), resolveAfter(after)];
  const found: [Shift, string][] = [types(one, other), values(one, other)];
  for (const name of lower) found.push(bound(name, one[name], other[name], 1));
  for (const name of upper) found.push(bound(name, one[name], other[name], -1));
  for (const name of kinds) found.push(presence(name, one[name], other[name]));
  if (one.items && other.items) {
    const { shift, about } = differenceOf(one.items, other.items, resolveBefore, resolveAfter);
    found.push([shift, about === "" ? "" : `entries: ${about}`]);
  }
  const changed = found.filter(([shift]) => shift !== "same");
  const shifts = new Set(changed.map(([shift]) => shift));
  const [only] = shifts;
  return {
    shift: only === undefined ? "same" : shifts.size === 1 ? only : "other",
    about: changed.map(([, about]) => about).join(", "),
  };
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function compared(name: string, one: ReadonlySet<string>, other: ReadonlySet<string>): [Shift, string] {
  const added = [...other].filter((value) => !one.has(value));
  const gone = [...one].filter((value) => !other.has(value));
  const about = [
    ...added.map((value) => `${name} ${value} added`),
    ...gone.map((value) => `${name} ${value} removed`),
  ].join(", ");
  if (added.length === 0 && gone.length === 0) return ["same", ""];
  if (added.length > 0 && gone.length > 0) return ["other", about];
  return [added.length > 0 ? "wider" : "narrower", about];
}

function types(one: Schema, other: Schema): [Shift, string] {
  const of = ({ type }: Schema) => new Set(typeof type === "string" ? [type] : (type ?? []));
  const [before, after] = [of(one), of(other)];
  // Without a type anything goes.
  if (before.size === 0 || after.size === 0) return presence("type", one.type, other.type);
  // An integer is a number.
  if (after.has("number") && before.delete("integer")) before.add("number");
  return compared("type", before, after);
}

function values(one: Schema, other: Schema): [Shift, string] {
  const [before, after] = [valuesOf(one), valuesOf(other)];
  if (before === null || after === null) return presence("fixed values", before, after);
  return compared("value", new Set(before.map(shown)), new Set(after.map(shown)));
}

function presence(name: string, one: unknown, other: unknown): [Shift, string] {
  const [before, after] = [shown(one), shown(other)];
  if (before === after) return ["same", ""];
  const about = `${name} ${before} → ${after}`;
  if (before === "none") return ["narrower", about];
  return [after === "none" ? "wider" : "other", about];
}

/** @param sign 1: narrower as it grows; -1: wider */
function bound(name: string, one: number | undefined, other: number | undefined, sign: 1 | -1): [Shift, string] {
  if (one === undefined || other === undefined) return presence(name, one, other);
  if (one === other) return ["same", ""];
  return [(other - one) * sign > 0 ? "narrower" : "wider", `${name} ${one} → ${other}`];
}
