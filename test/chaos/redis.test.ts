import { expect, test } from "@jest/globals";
import { disturbances } from "../../scripts/chaos/disturbances";
import { chaos } from "../../scripts/chaos/run";
import { seed as given } from "../sessions/model-seed";

test("Redis is killed, is asleep and breaks off, and nothing is lost", async () => {
  const { seed } = given();
  const { faults, figures } = await chaos({
    seed,
    gateways: 2,
    kills: 0,
    naps: 0,
    sessions: 30,
    events: 300,
    atOnce: 16,
    redis: disturbances,
    disturbances: 2 * disturbances.length,
    appendfsync: "always",
    logs: null,
    progress: () => undefined,
  });
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  for (const kind of disturbances) expect(figures[`Redis: ${kind}`]).toBe(2);
}, 120_000);
