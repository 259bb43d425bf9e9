/** Chance that can be had again: each decision has a name, and the same seed and name decide the same, in whatever order. */
import { createHash } from "node:crypto";

type Name = readonly (string | number)[];

export class Seed {
  constructor(readonly number: number) {}

  /** 0 ≤ share < 1 */
  share(...name: Name): number {
    const digest = createHash("sha256")
      .update([this.number, ...name].join("/"))
      .digest();
    return digest.readUInt32BE() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number, ...name: Name): number {
    return from + Math.floor(this.share(...name) * (to - from + 1));
  }

  /** @throws on an empty list */
  one<T>(of: readonly T[], ...name: Name): T {
    const chosen = of[this.whole(0, of.length - 1, ...name)];
    if (chosen === undefined) throw new RangeError(`nothing to choose from: ${name.join("/")}`);
    return chosen;
  }

  /** By weights, of which the last row is what remains. */
  weighted<T>(rows: readonly (readonly [share: number, T])[], ...name: Name): T {
    let rest = this.share(...name);
    for (const [share, value] of rows) {
      if (rest < share) return value;
      rest -= share;
    }
    throw new RangeError(`the shares do not add up to one: ${name.join("/")}`);
  }
}
