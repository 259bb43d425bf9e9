/** Runs checks side by side: most of their time they wait, for cooldowns and for webhooks. */
import { sideBySide } from "../side_by_side";
import { Broken, type Check, type Evidence, type Outcome, type Profile, Skipped } from "./check";

export interface Selection {
  readonly profile: Profile;
  /** Beginnings of ids, or patterns with `*`; empty: all. */
  readonly only: readonly string[];
}

/** Told as it goes. */
export interface Progress {
  begun(check: { readonly id: string; readonly title: string }): void;
  done(outcome: Outcome, done: number, all: number): void;
}

const limitMs = 30_000;
const brokenOff = "The run was broken off.";

/** How many checks are under way at a time. */
const side_by_side = 24;

/** The checks that are wanted, in their order. */
export function selected<World>(checks: readonly Check<World>[], { profile, only }: Selection): Check<World>[] {
  const patterns = only.map(pattern);
  return checks.filter(
    ({ id, profile: own }) =>
      (profile === "full" || own === "minimal") && (patterns.length === 0 || patterns.some((each) => each.test(id))),
  );
}

/** `errors`, `errors/answer`, `order/*\/missing_api_key`: whole parts of an id from its beginning, `*` anything. */
function pattern(text: string): RegExp {
  const parts = text.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}(?:/|$)`);
}

/**
 * Runs the checks: first those that go side by side, then those that must be alone, then those that watched the others.
 *
 * @returns an outcome for each, in the order of `checks`
 */
export async function run<World>(
  checks: readonly Check<World>[],
  world: World,
  progress: Progress,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const outcomes = new Map<Check<World>, Outcome>();
  const one = async (check: Check<World>): Promise<void> => {
    progress.begun(check);
    const outcome = signal.aborted ? unmade(check) : await made(check, world, signal);
    outcomes.set(check, outcome);
    progress.done(outcome, outcomes.size, checks.length);
  };
  const together = checks.filter(({ alone, last }) => !alone && !last);
  const free = together.filter(({ lane }) => lane === undefined);
  const lane = async (name: string): Promise<void> => {
    for (const check of together) if (check.lane === name) await one(check);
  };
  const lanes = new Set(together.flatMap((check) => check.lane ?? []));
  await Promise.all([sideBySide(free, side_by_side, one), ...[...lanes].map(lane)]);
  for (const check of checks) if (check.alone && !check.last) await one(check);
  for (const check of checks) if (check.last) await one(check);
  return checks.flatMap((check) => outcomes.get(check) ?? []);
}

function unmade({ id, title, clause }: Check<never>): Outcome {
  return { id, title, clause, verdict: "skipped", ms: 0, reason: brokenOff, evidence: null };
}

async function made<World>(check: Check<World>, world: World, outer: AbortSignal): Promise<Outcome> {
  const { id, title, clause } = check;
  const begun = performance.now();
  const limit = check.limitMs ?? limitMs;
  const signal = AbortSignal.any([outer, AbortSignal.timeout(limit)]);
  const over = (verdict: Outcome["verdict"], reason: string, evidence: Evidence | null): Outcome => {
    return { id, title, clause, verdict, ms: Math.round(performance.now() - begun), reason, evidence };
  };
  try {
    await Promise.race([check.run(world, signal), aborted(signal, limit)]);
    return over("passed", "", null);
  } catch (error) {
    if (error instanceof Skipped) return over("skipped", error.message, null);
    // Not its own time is over: nobody knows what would have come of it.
    if (outer.aborted) return over("skipped", brokenOff, null);
    if (error instanceof Broken) return over("failed", error.message, error.evidence);
    const reason = error instanceof Error ? error.message : String(error);
    return over("failed", reason, { expected: title, got: reason });
  }
}

/** Rejects once the time of a check is over: a check that waits for what never comes has failed. */
function aborted(signal: AbortSignal, limit: number): Promise<never> {
  return new Promise((_, reject) => {
    const over = () => reject(new Broken({ expected: `an end within ${limit / 1000} s`, got: "none" }));
    if (signal.aborted) over();
    else signal.addEventListener("abort", over, { once: true });
  });
}
