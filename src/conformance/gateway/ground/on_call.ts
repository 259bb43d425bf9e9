/** Checks that are made on a call of their own, which is hung up when they are over. */
import { Broken, type Check, type Profile } from "../../check";
import type { World } from "../world";
import type { KitApp, KitCall } from "./app";
import type { ScriptStep } from "./caller";
import { Sounds } from "./sounds";

/** What such a check has at hand. */
export interface OnCall {
  readonly world: World;
  readonly app: KitApp;
  readonly call: KitCall;
}

export interface CallCheck {
  readonly id: string;
  readonly title: string;
  readonly clause: string;
  readonly profile?: Profile;
  readonly limitMs?: number;
  /** Of the caller. */
  readonly script?: readonly ScriptStep[];
  /** The call is left ringing. */
  readonly ringing?: true;
  run(on: OnCall): Promise<void>;
}

/** Longer than others have: much waits for a caller. */
const longMs = 60_000;

export function onCall({
  run,
  script = [],
  ringing,
  profile = "full",
  limitMs = longMs,
  ...check
}: CallCheck): Check<World> {
  return {
    ...check,
    profile,
    limitMs,
    run: (world) => withCalls(world, 1, run, { script, answered: ringing !== true }),
  };
}

/** As {@link CallCheck}, with the kit's media files. */
export function onCallWithSounds({
  run,
  ...check
}: Omit<CallCheck, "run"> & { run(on: OnCall & { readonly sounds: Sounds }): Promise<void> }): Check<World> {
  const played = onCall({ ...check, run: async (on) => run({ ...on, sounds: await Sounds.of(on.world) }) });
  return {
    ...played,
    // First, so that no call is placed where nothing can be played.
    run: async (world, signal) => {
      await Sounds.of(world);
      await played.run(world, signal);
    },
  };
}

/** Does something with so many calls of the main app, the first of which is `call`, and hangs up. */
export async function withCalls(
  world: World,
  count: number,
  act: (on: OnCall & { readonly calls: readonly KitCall[] }) => Promise<void>,
  { script = [], answered = true }: { readonly script?: readonly ScriptStep[]; readonly answered?: boolean } = {},
): Promise<void> {
  const app = await world.main();
  const calls: KitCall[] = [];
  try {
    for (let n = 0; n < count; n += 1) {
      const call = await app.call(script);
      calls.push(call);
      if (answered) await call.done("answer", { command_uid: "take" });
    }
    const [call] = calls;
    if (!call) throw new Error("a check needs a call");
    await act({ world, app, call, calls });
  } finally {
    for (const call of calls) await release(call);
  }
}

/** Hangs up, unless it has ended already. */
async function release({ app, source }: KitCall): Promise<void> {
  const path = `/api/v1/sessions/${source}/commands/hangup`;
  try {
    await app.world.client.send({ method: "POST", path, headers: app.headers });
  } catch (error) {
    // No answer: what the check itself has to say is worth more, and the call goes with its app.
    if (!(error instanceof Broken)) throw error;
  }
}
