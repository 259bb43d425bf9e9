/**
 * Random sequences through the whole gateway: HTTP, callers and webhooks over real sockets, in real time. What was
 * received, what is told again and what a call is said to be have to fit together. A failure names the seed of its sequence,
 * which `VOICEGATE_SEED` repeats.
 */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { seed } from "../sessions/model-seed";
import { Run } from "./model-run";
import { sequenceOf } from "./model-steps";
import { type Script, Stage } from "./stage";

/** Those of every run, and one that nobody has seen before. */
const seeds = [...Array.from({ length: 19 }, (_, i) => 1000 + i), seed().seed];

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ recordings: true });
});
afterAll(() => stage.close());

/** What they hand back ends with that: nobody is left to hang up. */
const callers = { call: (script: Script) => stage.sandbox(script), leave: async () => undefined };

test("twenty random sequences at once", async () => {
  const played = await Promise.allSettled(
    seeds.map((number) => new Run(`s${number}`, stage, callers).play(sequenceOf(number))),
  );
  const failed = played.flatMap((run, i) => (run.status === "rejected" ? [`seed ${seeds[i]}: ${run.reason}`] : []));
  expect(failed).toEqual([]);
}, 60_000);
