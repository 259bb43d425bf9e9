/** What can be reached from a value: counted from outside, so that nobody has to count for it. */

export interface Reached {
  /** Objects of all kinds. */
  readonly objects: number;
  /** What stands in maps, sets and arrays. */
  readonly entries: number;
}

/** Functions are not followed: what they have closed over nobody can see. */
export function reach(root: object): Reached {
  const seen = new Set<object>([root]);
  const rest: object[] = [root];
  let entries = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    rest.push(value);
  };
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (ArrayBuffer.isView(next)) continue;
    if (next instanceof Map) {
      entries += next.size;
      for (const [key, value] of next) {
        visit(key);
        visit(value);
      }
    } else if (next instanceof Set) {
      entries += next.size;
      for (const value of next) visit(value);
    } else if (Array.isArray(next)) {
      entries += next.length;
    }
    for (const key of Reflect.ownKeys(next)) visit(Reflect.get(next, key));
  }
  return { objects: seen.size, entries };
}
