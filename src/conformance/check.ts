/**
 * What the conformance kit is made of. A check stands for one clause of the contract: it does something by the wire, looks
 * at what comes back, and throws {@link Broken} where the contract was not kept.
 */

/** `minimal`: what a first look needs, some seconds. `full`: everything. */
export type Profile = "minimal" | "full";

/** One request and what was answered, as far as it got. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly request: { readonly headers: Headers; readonly body: string };
  /** Null: the connection was closed without an answer. */
  readonly response: { readonly status: number; readonly headers: Headers; readonly body: string } | null;
  /** How long it took. */
  readonly ms: number;
  /** A line for a shell that does it again, where curl cannot; see `report/repeat.ts`. */
  readonly repeat?: string;
}

/** As they were sent or came; a field that came several times is a list. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a report shows of a check that failed. */
export interface Evidence {
  readonly expected: string;
  readonly got: string;
  /** What the gateway or the receiver was asked and answered, the last one last. */
  readonly exchanges?: readonly Exchange[];
  /** Deliveries of webhooks, or other things that were seen, a line each. */
  readonly seen?: readonly string[];
}

/** The contract is not kept. */
export class Broken extends Error {
  override readonly name = "Broken";

  constructor(readonly evidence: Evidence) {
    super(`expected ${evidence.expected}, got ${evidence.got}`);
  }
}

/** A check that cannot be made here: counted and explained, never silent. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}

/**
 * @param World what the check works with: the gateway's or the receiver's side
 */
export interface Check<World> {
  /** Stable, lower case, by family: `errors/startPlayback/urls_required`. `--only` selects by its beginning or by `*`. */
  readonly id: string;
  /** A sentence that says what holds: "A playback without urls is refused". */
  readonly title: string;
  /** Where the contract says it: an operation, an error, an event, a section. */
  readonly clause: string;
  readonly profile: Profile;
  /** Nothing else may run at the same time. */
  readonly alone?: boolean;
  /** Checks of one lane go one after another, beside all others: what they all need there is little of. */
  readonly lane?: string;
  /** It watches what other checks do, and is asked when all of them are over. */
  readonly last?: boolean;
  /** Longest time in ms that it may take. Default 30 000. */
  readonly limitMs?: number;
  /**
   * @param signal aborted when it has taken too long
   * @throws Broken, Skipped; anything else is told as a check that failed for a reason of its own
   */
  run(world: World, signal: AbortSignal): Promise<void>;
}

/** The target cannot be tested at all. The message is for people. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export type Verdict = "passed" | "failed" | "skipped";

/** What became of one check. */
export interface Outcome {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly verdict: Verdict;
  readonly ms: number;
  /** Why it failed or was skipped; "" when it passed. */
  readonly reason: string;
  readonly evidence: Evidence | null;
}

/** What was run against what, and what came of it. */
export interface Report {
  readonly side: "gateway" | "receiver";
  readonly target: string;
  readonly profile: Profile;
  /** Version of the contract that it was held against. */
  readonly contract: string;
  /** RFC 3339. */
  readonly started: string;
  readonly ms: number;
  /** In the order of the list of checks. */
  readonly outcomes: readonly Outcome[];
  /** What is worth knowing and no failure, a line each: that a receiver is slow, but in time. */
  readonly remarks?: readonly string[];
}
