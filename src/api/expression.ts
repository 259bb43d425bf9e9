/** `digits_regex`: a tenant writes it, and it runs on the thread that serves everybody. */
import { RE2JS, RE2JSSyntaxException } from "re2js";

/** Characters of an expression whose repetitions are written out. Compiling it takes up to 3 ms for so many. */
const maxWrittenOut = 3000;
/** Instructions of the compiled expression: matching 128 digits against it takes up to 5 ms for so many. */
const maxInstructions = 300;

/** Unicode classes and case folding make tables of a hundred thousand characters; digits need neither. */
const tables = /\\[pP]|\(\?[a-zA-Z-]*i/;

/**
 * At least the length of an expression after each counted repetition is written out, without parsing it: what stands
 * before the braces is one character or one class, or else it may be a group as long as all of the rest.
 */
function writtenOut(pattern: string): number {
  let length = pattern.length;
  let factor = 1;
  for (const [, before = "", least, most] of pattern.matchAll(/(?<=(.?))\{(\d+)(?:,(\d*))?\}/gs)) {
    const count = Number(most || least);
    if (before === "" || ")?*+}".includes(before)) factor *= Math.max(1, count);
    else length += count;
  }
  return length * factor;
}

/**
 * Is this RE2, and cheap to compile and to match? RE2 is linear in what is matched, but not in what is written:
 * `(?:.?){1000}` are 2000 instructions for each digit.
 */
export function isCheapExpression(pattern: string): boolean {
  if (tables.test(pattern) || writtenOut(pattern) > maxWrittenOut) return false;
  try {
    return RE2JS.compile(pattern).programSize() <= maxInstructions;
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return false;
    throw error;
  }
}
