/** Each command once, with all that can be asked about one: given, repeated, given anew in other words. */
import { randomUUID } from "node:crypto";
import { operations } from "../../../../generated/operations";
import { type Commands, cooled, type KitCall, type KitRoom } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Delivery } from "../ground/endpoint";
import { withCalls } from "../ground/on_call";
import { Sounds } from "../ground/sounds";
import type { World } from "../world";
import {
  bodyFor,
  defaultsFor,
  type Ground,
  give,
  orWithout,
  otherwise,
  prepare,
  subjectOf,
  wantsRinging,
} from "./recipes";

/** What came of a command, each asked for after the one before. What went wrong is told to who looks at it. */
export interface Specimen {
  readonly uid: string;
  readonly subject: KitCall | KitRoom;
  readonly call: KitCall;
  readonly taken: Answer;
  /** The very same request again. */
  readonly again: Promise<Answer>;
  readonly result: Promise<Delivery>;
  /** Again, when the result had come, with all defaults written out; null: there are none. */
  readonly spelled: Promise<Answer> | null;
  /** With the same uid and other fields; null: it has none. */
  readonly other: Promise<Answer> | null;
  /** Another command with the same uid. */
  readonly elsewhere: Promise<Answer>;
  /** Everything that the call or the room was told, when all of this was over. */
  readonly events: Promise<readonly Delivery[]>;
}

export function specimen(world: World, command: Commands): Promise<Specimen> {
  return world.once(`specimen ${command}`, async () => {
    const sounds = await Sounds.of(world);
    let made: Specimen | undefined;
    await withCalls(
      world,
      1,
      async ({ call, app }) => {
        const ground = { call, room: await app.room(call.source), sounds };
        made = await examined(command, ground);
        await Promise.allSettled([made.events]);
      },
      { answered: !wantsRinging(command) },
    );
    if (!made) throw new Error("a specimen was made and is not there");
    return made;
  });
}

async function examined(command: Commands, ground: Ground): Promise<Specimen> {
  await prepare(command, ground);
  const uid = randomUUID();
  const body = { ...bodyFor(command, ground), command_uid: uid };
  const send = (changed: JsonObject = {}) => give(command, ground, { ...body, ...changed });
  let taken = await send();
  orWithout(taken);
  if (taken.body?.code === "command_rate_limited") {
    // What it needed had the same cooldown.
    await cooled(taken);
    taken = await send();
  }
  const subject = subjectOf(command, ground);
  const defaults = defaultsFor(command, body);
  const other = otherwise(command);
  const again = send();
  const result = settled(again).then(() => {
    return subject.app.endpoint.result(String(taken.body?.operation_id), Number(taken.body?.timeout_ms ?? 0) + 10_000);
  });
  const spelled = Object.keys(defaults).length > 0 ? settled(result).then(() => send(defaults)) : null;
  const changed = other ? settled(spelled ?? result).then(() => send(other)) : null;
  const elsewhere = settled(changed ?? spelled ?? result).then(() =>
    give(sibling(command), ground, { command_uid: uid }),
  );
  const events = settled(elsewhere).then(() => ended(ground, subject));
  for (const each of [again, result, spelled, changed, elsewhere, events]) each?.catch(() => undefined);
  return { uid, subject, call: ground.call, taken, again, result, spelled, other: changed, elsewhere, events };
}

/** Its outcome is told elsewhere: this is only about when. */
const settled = (promise: Promise<unknown>): Promise<void> => Promise.allSettled([promise]).then(() => undefined);

/** A command of the same call or room, without required fields. */
function sibling(command: Commands): Commands {
  if (operations[command].command.of === "room") return command === "stopRoom" ? "pauseRoom" : "stopRoom";
  return command === "answer" ? "stopPlayback" : "answer";
}

/** Everything that was told of it: the end is told last. */
async function ended({ call, room }: Ground, subject: KitCall | KitRoom): Promise<readonly Delivery[]> {
  await room.close();
  const { body } = await call.command("hangup", { command_uid: "end" });
  // Who has handed the call back has heard all for now.
  if (body?.code !== "session_handed_back") await call.event("call.hangup");
  return subject.events;
}
