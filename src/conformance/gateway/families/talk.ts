/** What conversations on bare sockets are made of. */
import { Broken, type Check } from "../../check";
import { onWire, type Wire, type WireResponse } from "../ground/wire";
import { headersOf } from "../requests/states";
import type { World } from "../world";
import { headOf, putAppOf } from "./raw";

const clause = "every response: the same envelope for all that HTTP itself would answer";

/** Is this the answer? */
export function expectAnswer(answer: WireResponse, wanted: string): void {
  const got = `${answer.status} ${answer.error}`.trim();
  if (got !== wanted) throw new Broken({ expected: wanted, got, exchanges: [answer.exchange] });
}

export function talk(name: string, title: string, words: (world: World, wire: Wire) => Promise<void>): Check<World> {
  return {
    id: `raw/talk/${name}`,
    title,
    clause,
    profile: "full",
    run: (world) => onWire(world.url, (wire) => words(world, wire)),
  };
}

export const live = (world: World, ...fields: string[]) => headOf(world)("GET /live HTTP/1.1", ...fields);
export const put = (world: World, ...fields: string[]) => putAppOf(world)(...fields);

/** A whole request of an app, with this key. */
export async function list(world: World, key: string | null, ...fields: string[]): Promise<string> {
  const app = headersOf(await world.main());
  const all = Object.entries({ ...app, ...(key !== null && { "X-API-Key": key }) });
  return headOf(world)(
    "POST /api/v1/conferences HTTP/1.1",
    ...all.map(([name, value]) => `${name}: ${value}`),
    ...fields,
  );
}
