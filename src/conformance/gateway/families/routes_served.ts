/** What a gateway says of itself is this contract. */
import { isDeepStrictEqual } from "node:util";
import { Broken, type Check } from "../../check";
import { contract, errorCatalogue } from "../../document";
import { expectStatus } from "../ground/app";
import type { World } from "../world";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

/** The first place at which two documents differ, as a path of names. */
function difference(one: unknown, other: unknown, at = ""): string {
  if (!isObject(one) || !isObject(other) || Array.isArray(one) !== Array.isArray(other)) return at || "all of it";
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)]))
    if (!isDeepStrictEqual(one[name], other[name])) return difference(one[name], other[name], `${at}/${name}`);
  return at;
}

/** @param wanted the document as the kit has it */
function serves(target: string, wanted: () => unknown): Check<World> {
  return {
    id: `routes/served${target.replace(".", "-")}`,
    title: `${target} is the contract that the kit holds the gateway against`,
    clause: target,
    profile: "minimal",
    async run(world) {
      const answer = await world.request({ method: "GET", path: target });
      expectStatus(answer, 200);
      const own = wanted();
      if (isDeepStrictEqual(answer.body, own)) return;
      const served = isObject(answer.body?.info) ? ` (version ${answer.body.info.version})` : "";
      throw new Broken({
        expected: `the contract of version ${contract().info.version}`,
        got: `another one${served}, which differs first in ${difference(own, answer.body)}`,
        exchanges: [answer.exchange],
      });
    },
  };
}

export const served: readonly Check<World>[] = [
  serves("/openapi.json", contract),
  serves("/errors.json", errorCatalogue),
];
