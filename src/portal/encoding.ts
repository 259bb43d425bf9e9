/** `Accept-Encoding` (RFC 9110, section 12.5.3) and `If-None-Match` (section 13.1.2). */

/** In the order in which they are preferred where the client does not mind. */
const known = ["br", "gzip", "identity"] as const;
export type Encoding = (typeof known)[number];

/** `gzip`, `br;q=0.5`, `*;q=0` */
const element = /^([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/**
 * @param header as it came; what in it is malformed counts for nothing
 * @returns the one of most weight; identity also where the client would have nothing at all
 */
export function acceptedEncoding(header: string | undefined): Encoding {
  if (header === undefined) return "identity";
  const weights = new Map<string, number>();
  for (const part of header.split(",")) {
    const [, name, weight] = element.exec(part.trim()) ?? [];
    if (name !== undefined) weights.set(name.toLowerCase(), Number(weight ?? 1));
  }
  const weightOf = (encoding: Encoding) =>
    weights.get(encoding) ?? (encoding === "identity" ? undefined : weights.get("*")) ?? 0;
  const [first, ...others] = known;
  const best = others.reduce<Encoding>((one, other) => (weightOf(other) > weightOf(one) ? other : one), first);
  return weightOf(best) > 0 ? best : "identity";
}

/** @returns whether the caller has what this tag names: compared weakly, as the section demands */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
