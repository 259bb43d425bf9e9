/** Whether something has grown. */
import type { Sizes } from "../bench/process";

export interface Row {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  /** How much more there may be; null: any, it is told and not judged. */
  readonly allowed: number | null;
  readonly grown: boolean;
}

const kilobyte = 1024;
const megabyte = 1024 * kilobyte;

/**
 * What is not exactly as before for other reasons than a call that was not forgotten. The smallest thing that could be
 * left of each call is an object in a map: one more on the heap, and one in the store.
 */
function allowance(name: string, calls: number): number {
  // V8 goes on compiling: by heap snapshots, 1.8 of the 2 MB more after 6,000 calls are code, and 3 MB are the most that
  // were seen. What a call leaves behind shows in the objects below.
  if (name === "heap, bytes") return 5 * megabyte;
  if (name === "objects on the heap") return 100 + 0.1 * calls;
  // A list may keep a few of which it knows that they are gone.
  if (name === "entries in the store") return 128;
  if (name === "objects in the store") return 256;
  // A thread that is started anew, or a connection about to be closed, has a few; a file left by each call would be hundreds.
  if (name.endsWith("open files")) return 8;
  // Its allocator gives back when it likes.
  if (name === "media process, resident bytes") return 64 * megabyte;
  return 0;
}

/** @param calls between the two */
export function compare(before: Sizes, after: Sizes, calls: number): Row[] {
  return Object.entries(after).map(([name, now]) => {
    const then = before[name] ?? null;
    const allowed = allowance(name, calls);
    const grown = now !== null && now - (then ?? 0) > allowed;
    return { name, before: then, after: now, allowed, grown };
  });
}
