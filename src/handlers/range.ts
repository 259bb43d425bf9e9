/** Which part of a file a request asks for: `Range` and `If-Range` (RFC 9110, sections 13.1.5 and 14). */

/** Offsets of the first and the last byte. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** One `int-range` or `suffix-range` of section 14.1.2. */
const spec = /^(\d*)-(\d*)$/;

/**
 * @param header `Range`, as it came
 * @param ifRange `If-Range`, as it came
 * @param etag of the file, a strong one
 * @param bytes of the file
 * @returns `whole` also for what a server may ignore: malformed ones, other units, more than one range, and those of
 *   whoever has another version of the file
 */
export function askedRange(
  header: string | undefined,
  ifRange: string | undefined,
  etag: string,
  bytes: number,
): ByteRange | "whole" | "unsatisfiable" {
  // No date is ever the right one, since no `Last-Modified` is sent; a weak tag never matches.
  if (header === undefined || (ifRange !== undefined && ifRange !== etag)) return "whole";
  const [, set = ""] = /^bytes=(.*)$/i.exec(header) ?? [];
  // Empty elements of a list do not count (section 5.6.1.2).
  const specs = set
    .split(",")
    .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((text) => text !== "");
  const [, from, to] = specs.length === 1 ? (spec.exec(specs[0] ?? "") ?? []) : [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return "whole";
  if (from === "") {
    const length = Math.min(Number(to), bytes);
    return length === 0 ? "unsatisfiable" : { first: bytes - length, last: bytes - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return "whole";
  if (first >= bytes) return "unsatisfiable";
  return { first, last: to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1) };
}
