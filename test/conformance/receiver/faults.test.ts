/** The receiver's side of the kit against endpoints with one fault each: a tenth of them, another one each time. */
import { expect, test } from "@jest/globals";
import { faultyReceivers, oldSecret } from "../../../scripts/faults/receivers/index";
import { of, secret, tried } from "./trial";

const share = 0.1;
const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 1_000_000);

/** Each time another order, by the seed. */
function drawn<T>(all: readonly T[]): T[] {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  return all
    .map((each) => ({ each, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each);
}

test("each fault has a name of its own", () => {
  expect(new Set(faultyReceivers.map(({ name }) => name)).size).toBe(faultyReceivers.length);
  expect(faultyReceivers.length).toBeGreaterThan(80);
});

test(`a tenth of the faulty endpoints is caught (FAULTS_SEED=${seed})`, async () => {
  // Those that keep silent make the kit wait as long as the gateway would, many times: only the whole matrix has the time.
  const quick = faultyReceivers.filter(({ patient }) => !patient);
  const chosen = drawn(quick).slice(0, Math.ceil(faultyReceivers.length * share));
  const caught = await Promise.all(
    chosen.map(async ({ name, start }) => {
      const { url, probe, close } = await start(secret);
      try {
        return { name, by: of(await tried({ url, probe, oldSecret }), "failed").length > 0 };
      } finally {
        await close();
      }
    }),
  );
  expect(caught).toEqual(chosen.map(({ name }) => ({ name, by: true })));
}, 120_000);
