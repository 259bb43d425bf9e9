/** The shortest, the longest and the most varied strings of a pattern, and those that are just none of it any more. */

interface Part {
  /** Every character that may stand here. */
  readonly signs: string;
  readonly min: number;
  readonly max: number;
}

/** `[a-z0-9_]{1,64}`, `x`, `\*`: what patterns of this document are made of. */
const token = /\[((?:[^\]\\]|\\.)+)\]|\\(.)|([^\\[\](){}|^$.*+?])/y;
const times = /\{(\d+)(?:,(\d+))?\}/y;

function signsOf(set: string): string {
  let signs = "";
  const plain = set.replaceAll(/\\(.)/g, "$1");
  for (let at = 0; at < plain.length; at += 1) {
    const [first = "", dash, last] = plain.slice(at, at + 3);
    if (dash !== "-" || last === undefined) {
      signs += first;
      continue;
    }
    for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code += 1) signs += String.fromCharCode(code);
    at += 2;
  }
  return signs;
}

/** Null: of more than such parts. */
function partsOf(source: string): Part[] | null {
  const parts: Part[] = [];
  for (let at = 0; at < source.length; ) {
    token.lastIndex = at;
    const found = token.exec(source);
    if (!found) return null;
    at = token.lastIndex;
    times.lastIndex = at;
    const count = times.exec(source);
    if (count) at = times.lastIndex;
    const min = Number(count?.[1] ?? 1);
    parts.push({
      signs: found[1] === undefined ? (found[2] ?? found[3] ?? "") : signsOf(found[1]),
      min,
      max: Number(count?.[2] ?? min),
    });
  }
  return parts;
}

function alternatives(pattern: string): Part[][] {
  const inner = pattern.replace(/^\^/, "").replace(/\$$/, "");
  const group = /^\((.*)\)$/.exec(inner)?.[1];
  // Sets of this document have no bar.
  const sources = group === undefined ? [inner] : group.replace(/^\?:/, "").split("|");
  return sources.flatMap((source) => {
    const parts = partsOf(source);
    return parts ? [parts] : [];
  });
}

/** So many signs that are no letters are tried in places where they do not belong. */
const most_marks = 4;

/** A string with so many signs of each part, every sign of it as far as there is room. */
const filled = (parts: readonly Part[], count: (part: Part) => number): string =>
  parts.map((part) => part.signs.repeat(Math.ceil(count(part) / part.signs.length)).slice(0, count(part))).join("");

/** How many strings show the signs of one part. */
const most_varied = 8;

/** Strings of the signs of a part: of all of them, where there is room. */
function* varied(parts: readonly Part[]): Generator<string> {
  for (const shown of parts)
    for (let at = 0; at < shown.signs.length; at += Math.max(shown.max, Math.ceil(shown.signs.length / most_varied))) {
      const piece = shown.signs.slice(at, at + shown.max).padEnd(shown.min, shown.signs[0]);
      yield parts.map((part) => (part === shown ? piece : filled([part], ({ min }) => min))).join("");
    }
}

/** Strings that just fit. */
export function fitting(pattern: string): string[] {
  const found = alternatives(pattern).flatMap((parts) => [
    filled(parts, ({ min }) => min),
    filled(parts, ({ max }) => max),
    ...varied(parts),
  ]);
  return [...new Set(found)].filter((text) => new RegExp(pattern).test(text));
}

const swapped = (text: string) =>
  text.replaceAll(/[a-z]/gi, (sign) => (sign === sign.toUpperCase() ? sign.toLowerCase() : sign.toUpperCase()));

/** Strings that just do not: one sign more, one less, one that is none of it or not there, a line behind the end. */
export function breaking(pattern: string): string[] {
  const found = alternatives(pattern).flatMap((parts) => {
    const longest = filled(parts, ({ max }) => max);
    const shortest = filled(parts, ({ min }) => min);
    const last = parts.at(-1)?.signs[0] ?? "";
    const inside = `${shortest}${shortest || "0"}`;
    const marks = [...new Set(parts.flatMap(({ signs }) => signs.match(/[^A-Za-z0-9]/g) ?? []))].slice(-most_marks);
    const misplaced = marks.flatMap((mark) => [`${mark}${shortest}`, `${inside.slice(0, 1)}${mark}${inside.slice(1)}`]);
    return [
      ...misplaced,
      swapped(longest),
      longest + last,
      shortest.slice(0, -1),
      `${shortest}\n`,
      `${shortest}ä`.slice(shortest.length > 1 ? 1 : 0),
    ];
  });
  return [...new Set(found)].filter((text) => !new RegExp(pattern).test(text));
}
