/**
 * The neighbours in the order of the checks that no request can violate together, with the reason, by the operations that
 * have both. The committed list is what this prints: `npm run compile && node dist/test/errors/impossible.js`.
 */

import { routed } from "../../src/conformance/gateway/requests/requests";
import { pairsOf } from "./order-facts";

export interface ImpossiblePair {
  readonly first: string;
  readonly second: string;
  readonly reason: string;
  readonly operations: readonly string[];
}

export function impossiblePairs(): ImpossiblePair[] {
  const found = new Map<string, ImpossiblePair & { readonly operations: string[] }>();
  for (const { id, first, second, reason } of routed.flatMap((id) => pairsOf(id).impossible)) {
    const key = [first, second, reason].join(" ");
    const pair = found.get(key) ?? { first, second, reason, operations: [] };
    pair.operations.push(id);
    found.set(key, pair);
  }
  return [...found.values()];
}

if (require.main === module) process.stdout.write(`${JSON.stringify(impossiblePairs(), null, 2)}\n`);
