import type { Store } from "../../src/store/store";

/** Whether this call of the method runs twice, its first answer lost. */
export type Loses = (method: string) => boolean;

/**
 * The store as a caller sees it whose connection breaks after a call was sent: the call has run, its answer is lost, it
 * is sent again as it was, and the answer of the second run is the one that arrives.
 */
export function repeating(store: Store, loses: Loses): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]): Promise<unknown> => {
        if (loses(String(name))) await method.apply(target, given);
        return method.apply(target, given);
      };
    },
  });
}

/** Numbers from 0 up to 1, the same ones for the same seed (a linear congruential generator modulo 2^32). */
export function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
