/** A report in numbers and groups: what every form of it begins with. */
import type { Outcome, Report } from "../check";

export interface Tally {
  readonly all: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function tally(outcomes: readonly Outcome[]): Tally {
  const of = (verdict: Outcome["verdict"]) => outcomes.filter((outcome) => outcome.verdict === verdict).length;
  return { all: outcomes.length, passed: of("passed"), failed: of("failed"), skipped: of("skipped") };
}

/** The first part of an id. */
export const familyOf = (id: string): string => id.split("/", 1)[0] ?? id;

/** In the order in which they first appear. */
export function grouped(
  outcomes: readonly Outcome[],
  by: (outcome: Outcome) => string,
): readonly (readonly [key: string, outcomes: readonly Outcome[]])[] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const group = groups.get(by(outcome));
    if (group) group.push(outcome);
    else groups.set(by(outcome), [outcome]);
  }
  return [...groups];
}

/** "1204 checks in 93.1 s: 1190 passed, 2 failed, 12 skipped" */
export function countLine({ outcomes, ms }: Report): string {
  const { all, passed, failed, skipped } = tally(outcomes);
  return `${all} checks in ${(ms / 1000).toFixed(1)} s: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}
