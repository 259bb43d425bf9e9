/** Numbers: whose app a call is by what was dialled. */
import { Broken, type Check, Skipped } from "../../check";
import { expectStatus, KitApp } from "../ground/app";
import { callerId } from "../ground/caller";
import type { World } from "../world";
import { put } from "./changed";

/** The same app, called by another number. */
function under({ world, app_id, api_key, endpoint }: KitApp, number: string): KitApp {
  return new KitApp(world, app_id, api_key, number, endpoint);
}

/** Calls a number, and is told by this app, and no other. */
async function takes(app: KitApp, number: string): Promise<void> {
  const call = await under(app, number).call();
  const { data } = await call.event("call.new");
  if (data.did !== number)
    throw new Broken({ expected: `call.new for ${number}`, got: String(data.did), seen: app.endpoint.lines() });
  await call.hangup();
}

/** Digits that nobody else has, as long as a number of the kit's. */
async function fresh(world: World): Promise<{ readonly app: KitApp; readonly number: string }> {
  if (world.caller.number !== null) throw new Skipped("Only one number can be called with this caller.");
  const app = await world.app();
  return { app, number: app.did };
}

function replace(app: KitApp, dids: readonly string[]): Promise<unknown> {
  return put(app, { webhook_url: app.endpoint.url, dids });
}

/** Numbers that one app holds and another one asks for. */
const forms = [
  ["number", (did: string) => did],
  ["prefix", (did: string) => `${did}*`],
] as const;

const clause = "putApp: dids";

export const numbers: readonly Check<World>[] = [
  {
    id: "numbers/match",
    title: "A call goes to the app with this number, else to the one with the longest prefix of it",
    clause,
    profile: "full",
    async run(world) {
      const { app: exact, number } = await fresh(world);
      const long = await world.app({ dids: [`${number}1*`] });
      const short = await world.app({ dids: [`${number}*`] });
      await replace(exact, [number, `${number}12`]);
      await takes(exact, `${number}12`);
      await takes(exact, number);
      await takes(long, `${number}123`);
      await takes(long, `${number}1`);
      await takes(short, `${number}2`);
    },
  },
  ...forms.map(
    ([form, of]): Check<World> => ({
      id: `numbers/taken/${form}`,
      title: `A ${form} that another app holds is refused, and named; nothing of the app changes`,
      clause: "putApp: 409",
      profile: "full",
      async run(world) {
        const holder = await world.app();
        const did = of(holder.did);
        await replace(
          holder,
          [holder.did, did].filter((each, n, all) => all.indexOf(each) === n),
        );
        const app = await world.app({ rate_limit: 33 });
        const body = { dids: [app.did, did], rate_limit: 44 };
        const path = `/admin/apps/${app.app_id}`;
        const answer = await world.request({ method: "POST", path, headers: world.admin, body });
        expectStatus(answer, 409);
        const { detail } = answer.body ?? {};
        if (JSON.stringify(detail) !== JSON.stringify({ did }))
          throw new Broken({
            expected: `detail.did ${did}`,
            got: JSON.stringify(detail),
            exchanges: [answer.exchange],
          });
        const { body: now } = await world.request({ method: "GET", path, headers: world.admin });
        if (now?.rate_limit !== 33)
          throw new Broken({
            expected: "rate_limit 33, as before",
            got: String(now?.rate_limit),
            exchanges: [answer.exchange],
          });
        // Its own it may have again.
        await replace(holder, [holder.did, `${holder.did}*`]);
      },
    }),
  ),
  {
    id: "numbers/moved",
    title: "A number that one app gave up goes to the next one that asks for it",
    clause,
    profile: "full",
    async run(world) {
      const { app: first, number } = await fresh(world);
      await takes(first, number);
      await replace(first, []);
      const second = await world.app({ dids: [number] });
      await takes(second, number);
    },
  },
  {
    id: "numbers/freed",
    title: "The number of an app that was deleted is free again",
    clause: "deleteApp",
    profile: "full",
    async run(world) {
      const { app: first, number } = await fresh(world);
      await first.remove();
      const second = await world.app({ dids: [number] });
      await takes(second, number);
    },
  },
  {
    id: "numbers/nobody",
    title: "A call to a number of nobody is refused",
    clause: "createSandboxCall: no_app_takes_number",
    profile: "full",
    async run(world) {
      if (world.caller.kind !== "sandbox") throw new Skipped("Only the sandbox tells why a call was refused.");
      const { app, number } = await fresh(world);
      await replace(app, []);
      const body = { did: number, caller_id: callerId() };
      const answer = await world.request({ method: "POST", path: "/admin/sandbox/calls", headers: world.admin, body });
      if (answer.status === 201) throw new Skipped("The gateway has an app for all other numbers (DEFAULT_APP_ID).");
      expectStatus(answer, 409);
      const [told] = app.endpoint.deliveries;
      if (told) throw new Broken({ expected: "no webhook", got: told.event, seen: app.endpoint.lines() });
    },
  },
];
