/**
 * Random sequences on each kind of media server: commands at once, twice and too soon, callers who key and hang up in between.
 * What the app is told has to fit together, whatever happens, and nothing may be left at the media server. A failure names
 * its seed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { Run } from "../calls/model-run";
import { sequenceOf } from "../calls/model-steps";
import type { Script } from "../calls/stage";
import { seed } from "../sessions/model-seed";
import type { StoryCaller } from "./callers";
import { openStage, places } from "./suite";

/** Those of every run, and one that nobody has seen before. */
const seeds = [2001, 2002, seed().seed];

describe.each(places)("on %s", (_, open) => {
  test("random sequences at once", async () => {
    const place = await open();
    const stage = await openStage(place);
    const callers = new Map<string, StoryCaller>();
    const busy: Promise<void>[] = [];
    let dialled = 0;
    const call = async (script: Script): Promise<string> => {
      dialled += 1;
      const caller_id = `49${dialled}`;
      const caller = await place.dial(stage, caller_id);
      caller.attend();
      const { source } = await stage.receiver.until(() =>
        stage.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === caller_id),
      );
      callers.set(source, caller);
      busy.push(follow(caller, script));
      return source;
    };
    const leave = async (session_uuid: string) => callers.get(session_uuid)?.leave();
    try {
      const runs = seeds.map((number) => new Run(`s${number}`, stage, { call, leave }).play(sequenceOf(number)));
      const played = await Promise.allSettled(runs);
      const failed = played.flatMap((run, i) => (run.status === "rejected" ? [`seed ${seeds[i]}: ${run.reason}`] : []));
      expect(failed).toEqual([]);
      await Promise.all(busy);
      await Promise.all([...callers.values()].map((caller) => caller.leave()));
      while ((await place.left()).length > 0) await delay(20);
    } finally {
      for (const caller of callers.values()) await caller.close();
      await stage.close();
      await place.close();
    }
  }, 60_000);
});

async function follow(caller: StoryCaller, script: Script): Promise<void> {
  for (const step of script) {
    if (step.do === "wait") await delay(step.ms);
    else if (step.do === "press") await caller.press(step.digits);
    else if (step.do === "tone") caller.sing?.(step.hz);
    else if (step.do === "hangup") await caller.leave();
  }
}
