/** What an app and its callers do in a random sequence over the wire, as plain data. */
import fc from "fast-check";
import type { CommandName, Script } from "./stage";

export interface Step {
  readonly command: CommandName;
  /** Which call or room. */
  readonly which: number;
  /** Which form of the body. */
  readonly form: number;
  /** The same once more, at the same moment. */
  readonly twice: boolean;
  /** A cooldown is waited for, once. */
  readonly insists: boolean;
  /** The next step comes while this one is under way. */
  readonly next: boolean;
  /** Time until the next step, in milliseconds. */
  readonly pause: number;
}

export interface Sequence {
  readonly scripts: readonly Script[];
  readonly steps: readonly Step[];
}

const commands: readonly CommandName[] = [
  ...(["answer", "playback/start", "playback/start", "playback/stop", "playback/pause", "playback/resume"] as const),
  ...(["playback/restart", "playback/seek", "playback/silence", "play_and_get_digits", "play_and_get_digits"] as const),
  ...([
    "record/start",
    "record/start",
    "record/stop",
    "conference/join",
    "conference/join",
    "conference/join",
  ] as const),
  ...(["conference/leave", "conference/mute", "conference/unmute", "room/play", "room/play", "room/pause"] as const),
  ...(["room/volume", "room/stop", "hangup", "disconnect"] as const),
];

const caller: fc.Arbitrary<Script> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: "press" as const, digits: "12#", gap_ms: 60 }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(50, 400, 1500) }) },
    { weight: 2, arbitrary: fc.constant({ do: "tone" as const, hz: 440, ms: 300 }) },
    { weight: 1, arbitrary: fc.constant({ do: "hangup" as const }) },
  ),
  { maxLength: 8 },
);

const seldom = fc.nat({ max: 7 }).map((n) => n === 0);

const sequence: fc.Arbitrary<Sequence> = fc.record({
  scripts: fc.array(caller, { minLength: 3, maxLength: 3 }),
  steps: fc.array(
    fc.record({
      command: fc.constantFrom(...commands),
      which: fc.nat({ max: 2 }),
      form: fc.nat({ max: 3 }),
      twice: seldom,
      insists: fc.boolean(),
      next: fc.boolean(),
      pause: fc.constantFrom(0, 0, 20, 100, 300),
    }),
    { minLength: 25, maxLength: 35, size: "max" },
  ),
});

export function sequenceOf(seed: number): Sequence {
  const [made] = fc.sample(sequence, { seed, numRuns: 1 });
  if (!made) throw new Error(`no sequence: ${seed}`);
  return made;
}
