import { expect, test } from "@jest/globals";
import { chaos } from "../../scripts/chaos/run";
import { seed as given } from "../sessions/model-seed";

test("gateways are killed in the middle of everything, and nothing is lost", async () => {
  const { seed } = given();
  const { faults, figures } = await chaos({
    seed,
    gateways: 3,
    kills: 3,
    naps: 1,
    sessions: 20,
    events: 360,
    atOnce: 16,
    redis: [],
    disturbances: 0,
    appendfsync: "always",
    logs: null,
    progress: () => undefined,
  });
  expect({ seed, faults }).toEqual({ seed, faults: [] });
  expect(figures["calls ended by the loss of their gateway"]).toBeGreaterThan(0);
}, 120_000);
