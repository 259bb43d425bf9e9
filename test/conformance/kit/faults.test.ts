/** A tenth of the faults, chosen by a seed that is printed: each is caught by the kit, and none is when there is none. */
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Seed } from "../../../scripts/chaos/seed";
import { facedGateway } from "../../../scripts/faults/facing";
import { matrix } from "../../../scripts/faults/index";
import { outcomeOf, type Verdict } from "../../../scripts/faults/verdict";
import { sideBySide } from "../../../src/side_by_side";

const seed = new Seed(Number(process.env.VOICEGATE_FAULTS_SEED ?? randomInt(2 ** 31)));
const chosen = matrix
  .toSorted((a, b) => seed.share(a.name) - seed.share(b.name))
  .slice(0, Math.round(matrix.length / 10));

const stopping = new AbortController();
let verdicts: Promise<readonly Verdict[]>;
beforeAll(() => {
  process.stdout.write(`faults of gateways: VOICEGATE_FAULTS_SEED=${seed.number}\n`);
  verdicts = sideBySide(chosen, 4, (fault, slot) => facedGateway(fault, slot, stopping.signal));
  // The test awaits it.
  verdicts.catch(() => undefined);
});
afterAll(() => stopping.abort());

test("a tenth of the faults is caught", async () => {
  const outcomes = (await verdicts).map((verdict) => [verdict.name, verdict.broken || outcomeOf(verdict)]);
  expect(outcomes).toEqual(chosen.map(({ name }) => [name, "caught"]));
}, 280_000);
