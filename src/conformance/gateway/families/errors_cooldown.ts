/** A second command of the same rate group within its window. */
import { errors } from "../../../../generated/operations";
import { Broken, Skipped } from "../../check";
import { together } from "../ground/wire";
import { expectFailure, expectTaken } from "../requests/failure";
import {
  exampleRequest,
  type HttpRequest,
  type Names,
  policyOf,
  type RoutedId,
  withHeaders,
} from "../requests/requests";
import { headersOf, leave, newCallIn, originOf, type Stage } from "../requests/states";
import type { World } from "../world";

/** How often it is tried on a machine that takes longer than a window. */
const most_tries = 4;

const answered = { state: "answered", member: "no", muted: "no", recorded: "no" } as const;

/** What opens the window in the same packet, where the command itself would not be taken twice, or not change nothing. */
const openers: { readonly [O in RoutedId]?: RoutedId } = {
  startRecording: "playAndGetDigits",
  stopRecording: "stopPlayback",
  pauseRoom: "stopRoom",
  setRoomVolume: "stopRoom",
  stopRoom: "pauseRoom",
  startPlayback: "playSilence",
  stopPlayback: "pausePlayback",
  pausePlayback: "stopPlayback",
  playSilence: "startPlayback",
};

/** What commands are for, and the call to be left when they were answered. */
interface Subject {
  readonly names: Partial<Names>;
  readonly stage: Stage | null;
}

/** Makes a call or room for a command, as it must be when the window opens. */
async function subjectFor(world: World, id: RoutedId): Promise<Subject> {
  const app = await world.main();
  const { room } = policyOf(id);
  if (room === "path") return { names: { room_id: (await app.room()).source }, stage: null };
  const stage = await newCallIn(world, { ...answered, recorded: id === "stopRecording" ? "yes" : "no" });
  return { names: { uuid: stage.call.source, room_id: stage.room_id }, stage };
}

/** A member whose window is open, and who can be asked to do this. */
async function hotMember(world: World, id: RoutedId): Promise<Subject & { readonly opened: number }> {
  const muted = id === "mute" ? "yes" : "no";
  const first = id === "leaveRoom" ? null : await newCallIn(world, { ...answered, member: "this", muted });
  const stage = first ?? (await newCallIn(world, answered));
  const opened = performance.now();
  if (id === "leaveRoom") await stage.call.done("joinRoom", { room_id: stage.room_id });
  else await stage.call.done(id === "mute" ? "unmute" : "mute");
  return { names: { uuid: stage.call.source, room_id: stage.room_id }, stage, opened };
}

/** Commands that are taken only when the one that opened the window has done its work. */
const after: readonly RoutedId[] = ["leaveRoom", "mute", "unmute"];

/** @throws Broken when a second command is not refused for as long as the window is open */
export async function coolingDown(world: World, id: RoutedId): Promise<void> {
  const window = policyOf(id).command?.cooldown?.ms ?? 0;
  const app = await world.main();
  const request = (each: RoutedId, names: Partial<Names>): HttpRequest =>
    withHeaders(exampleRequest(each, originOf(world, app), names), headersOf(app));
  for (let tried = 1; tried <= most_tries; tried += 1) {
    if (after.includes(id)) {
      const { names, stage, opened } = await hotMember(world, id);
      const answer = await world.request(request(id, names));
      const ms = performance.now() - opened;
      if (stage) await leave(stage);
      if (answer.status === errors.command_rate_limited.status || ms < window) {
        expectFailure(answer, "command_rate_limited", `within ${window} ms of another one of its group`);
        return;
      }
      continue;
    }
    const { names, stage } = await subjectFor(world, id);
    const sent = performance.now();
    const [first, second] = await together(world.url, [request(openers[id] ?? id, names), request(id, names)]);
    const slow = performance.now() - sent >= window;
    if (stage) await leave(stage);
    if (!first || !second) throw new Broken({ expected: "two answers", got: "less" });
    expectTaken({ ...first, operation: openers[id] ?? id }, `${openers[id] ?? id}, the first of its group`);
    if (slow && second.status === 202) continue;
    expectFailure(second, "command_rate_limited", `in the same packet as another one of its group`);
    return;
  }
  throw new Skipped(`The window of ${window} ms was over each time before the second command was answered.`);
}
