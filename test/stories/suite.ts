/** Stories that are told on each kind of media server alike. */
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "@jest/globals";
import { Stage } from "../calls/stage";
import { openAsterisk, openEmbedded, openFreeswitch, type StoryPlace } from "./place";
import { Telling } from "./telling";

export const places: readonly (readonly [string, () => Promise<StoryPlace>])[] = [
  ["the embedded engine", openEmbedded],
  ["Asterisk", openAsterisk],
  ["FreeSWITCH, replayed", openFreeswitch],
];

/** A gateway that records, and has its media server. */
export async function openStage({ env }: StoryPlace): Promise<Stage> {
  const stage = await Stage.open({ recordings: true, env });
  const nodes = async () => JSON.stringify((await stage.admin("GET", "/admin/nodes")).body);
  while (!(await nodes()).includes('"connected":true'));
  return stage;
}

/** Where a test is told: new for each of them. */
export interface Told {
  readonly story: Telling;
  readonly stage: Stage;
  readonly place: StoryPlace;
}

/** @param tell defines the tests; what it is given may be looked at while one of them runs */
export function storySuite(tell: (at: Told) => void): void {
  describe.each(places)("on %s", (_, open) => {
    let place: StoryPlace;
    let stage: Stage;
    let story: Telling;
    beforeAll(async () => {
      place = await open();
      stage = await openStage(place);
    });
    afterAll(async () => {
      await stage?.close();
      await place?.close();
    });
    beforeEach(() => {
      story = new Telling(stage, place);
    });
    afterEach(() => story.close());
    tell({
      get story() {
        return story;
      },
      get stage() {
        return stage;
      },
      get place() {
        return place;
      },
    });
  });
}
