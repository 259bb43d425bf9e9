/** The window of a rate group: who is refused in it, for how long, and that it ends. */
import { setTimeout as delay } from "node:timers/promises";
import { operations, rateGroups } from "../../../../generated/operations";
import { type Check, Skipped } from "../../check";
import { type Commands, cooled, expectStatus, type KitCall } from "../ground/app";
import type { Answer } from "../ground/client";
import { expectBetween, expectSame, expectThat } from "../ground/expectation";
import { commands } from "../ground/ledger";
import { withCalls } from "../ground/on_call";
import { Sounds } from "../ground/sounds";
import { bodyFor, type Ground, give, orWithout, prepare, wantsRinging } from "../requests/recipes";
import type { World } from "../world";

export type Group = keyof typeof rateGroups;

/** Windows this long outlast what a command does; of shorter ones every millisecond counts. */
const longMs = 1000;
const shortMs = 500;
/** Between the gateway's clock and ours. */
export const tickMs = 10;
const tries = 16;
/** What these do cannot be done again. */
const once: readonly Commands[] = ["startRecording", "leaveRoom", "mute", "unmute"];
/** A gateway that answers within this share of a window is not held up. */
const quickShare = 0.6;
/** A machine may be late so often with one request, and in time with the one behind it. */
const lateMost = 3;

export const groupOf = (command: Commands): Group | null => operations[command].command.cooldown?.group ?? null;
export const membersOf = (group: Group): Commands[] => commands.filter((command) => groupOf(command) === group);

/** Room and sounds for a call. */
export async function groundOf(call: KitCall, world: World): Promise<Ground> {
  return { call, room: await call.app.room(call.source), sounds: await Sounds.of(world) };
}

export async function onGround(world: World, command: Commands, act: (ground: Ground) => Promise<void>): Promise<void> {
  await Sounds.of(world);
  await withCalls(
    world,
    1,
    async ({ call }) => {
      const made = await groundOf(call, world);
      await act(made);
      await made.room.close();
    },
    { answered: !wantsRinging(command) },
  );
}

/** Gives it, as soon as what was needed for it has cooled down. @throws Broken unless it is taken */
async function given(command: Commands, ground: Ground): Promise<{ readonly answer: Answer; readonly begun: number }> {
  const body = bodyFor(command, ground);
  let begun = performance.now();
  let answer = await give(command, ground, body);
  orWithout(answer);
  if (answer.body?.code === "command_rate_limited") {
    await cooled(answer);
    begun = performance.now();
    answer = await give(command, ground, body);
  }
  expectStatus(answer, 202);
  return { answer, begun };
}

/** After the first no other of its group is taken before the window is over, and then one is. */
export function shared(first: Commands, group: Group): Check<World> {
  const ms = rateGroups[group];
  const { name } = operations[first].command;
  return {
    id: `cooldowns/${group}/after-${first}`,
    title: `After ${name} nothing of the group ${group} is taken for ${ms} ms`,
    clause: "rate groups",
    profile: "full",
    limitMs: 60_000,
    // Beside others the answers come too late to say anything of a short window.
    alone: ms < shortMs,
    run: (world) =>
      onGround(world, first, async (ground) => {
        // All of a group can be given while something plays and is recorded.
        if (group === "seek") await ground.call.done("startPlayback", { urls: [ground.sounds.tone(20_000)] });
        if (group === "seek") await withoutFail(() => prepare("stopRecording", ground));
        else await prepare(first, ground);
        let open = membersOf(group);
        const waited: Second[] = [];
        for (let left = tries; left > 0 && open.length > 0; left -= 1) {
          const { answer, begun } = await given(first, ground);
          if (ms >= longMs) await ground.call.app.endpoint.result(String(answer.body?.operation_id));
          // What was too late beside others is tried by itself.
          const some = left === tries || ms >= longMs ? open : open.slice(0, 1);
          const { refused, undecided, late } = await hurried(first, some, ground, begun, answer);
          open = [...open.slice(some.length), ...undecided];
          waited.push(...late);
          expectNotWaited(first, waited);
          if (open.length === 0 && refused) return later(group, ground, begun, refused);
          if (once.includes(first)) break;
          // It was too late for some: the time in which a refusal is owed was over when we had their answers.
          await delay(ms);
          if (first === "stopRecording") await ground.call.doneInTime("startRecording");
        }
        if (open.length === 0) return;
        throw new Skipped(`This machine was too slow for a window of ${ms} ms.`);
      }),
  };
}

interface Refused {
  readonly command: Commands;
  readonly answer: Answer;
}

/** A command that followed the first one. `elapsed`: from before that one until its answer. */
interface Second extends Refused {
  readonly elapsed: number;
}

/**
 * @returns the last one that was refused; those whose answers came too late to say anything; and of these the ones that
 *   were taken so late while everything else was quick
 */
async function hurried(
  first: Commands,
  seconds: readonly Commands[],
  ground: Ground,
  begun: number,
  taken: Answer,
): Promise<{
  readonly refused: Refused | undefined;
  readonly undecided: Commands[];
  readonly late: readonly Second[];
}> {
  const ms = operations[first].command.cooldown?.ms ?? 0;
  const { app, source } = ground.call;
  let quick = true;
  const second = async (command: Commands): Promise<Second> => {
    const answer = await give(command, ground, bodyFor(command, ground));
    return { command, answer, elapsed: performance.now() - begun };
  };
  // Behind them, so that it says of the gateway how fast it answers then.
  const beside = async () => {
    await app.get(`/api/v1/sessions/${source}`);
    quick = quick && performance.now() - begun < ms * quickShare;
  };
  const all: Second[] = [];
  // A long window has time for one after the other; in a short one they have to come together.
  for (const some of ms >= longMs ? seconds.map((each) => [each]) : [seconds]) {
    const [answered] = await Promise.all([Promise.all(some.map(second)), beside()]);
    all.push(...answered);
  }
  const decided = all.filter(({ command, answer, elapsed }) => elapsed < ms - tickMs || beforehand(command, answer));
  const owed = decided.filter(({ command, answer }) => !beforehand(command, answer));
  for (const { command, answer, elapsed } of owed) {
    const about = { answers: [taken, answer] };
    const { name } = operations[command].command;
    const what = `command_rate_limited for ${name} ${Math.round(elapsed)} ms after ${operations[first].command.name}`;
    expectThat(answer.body?.code === "command_rate_limited", what, answer.body?.code ?? answer.status, about);
    const { retry_after_ms } = Object(answer.body?.detail);
    expectBetween("detail.retry_after_ms", retry_after_ms, Math.max(1, ms - elapsed - tickMs), ms, about);
    expectSame("Retry-After", answer.headers["retry-after"], String(Math.ceil(retry_after_ms / 1000)), about);
  }
  const open = all.filter((each) => !decided.includes(each));
  const late = open.filter(({ answer }) => quick && answer.status === 202);
  return { refused: owed.at(-1), undecided: open.map(({ command }) => command), late };
}

/** Whoever waits for the end of the window in place of refusing is late each time, and nothing else is. */
function expectNotWaited(first: Commands, waited: readonly Second[]): void {
  const ms = operations[first].command.cooldown?.ms ?? 0;
  for (const { command, answer, elapsed } of waited) {
    const often = waited.filter((each) => each.command === command).length;
    const { name } = operations[command].command;
    const after = `${Math.round(elapsed)} ms after ${operations[first].command.name}`;
    if (often >= (ms >= longMs ? 1 : lateMost))
      expectThat(false, `a refusal of ${name} at once`, `202 ${after}, while another request was answered at once`, {
        answers: [answer],
      });
  }
}

/** Refused a last time in the second half of the window, and taken when it is over. */
async function later(group: Group, ground: Ground, begun: number, { command, answer }: Refused): Promise<void> {
  const ms = rateGroups[group];
  const { name } = operations[command].command;
  const over = performance.now() + Number(Object(answer.body?.detail).retry_after_ms);
  let again = answer;
  if (ms >= longMs) {
    await delay(Math.max(0, begun + ms * 0.75 - performance.now()));
    again = await give(command, ground, bodyFor(command, ground));
    const elapsed = Math.round(performance.now() - begun);
    const inTime = elapsed < ms - tickMs;
    const what = `command_rate_limited for ${name} ${elapsed} ms after the first`;
    if (inTime) expectSame(what, again.body?.code, "command_rate_limited", { answers: [again] });
    // The machine was so slow that the window was over: this one was taken.
    if (again.status === 202) return;
  }
  await delay(Math.max(0, over + 2 * tickMs - performance.now()));
  const taken = await give(command, ground, bodyFor(command, ground));
  const about = { answers: [answer, again, taken] };
  expectThat(
    taken.status !== 429,
    `${name} that is taken once retry_after_ms of the first refusal are over`,
    taken.status,
    about,
  );
}

/** Was it decided by what is looked at before cooldowns are: the state of the call, or what the gateway is without? */
function beforehand(command: Commands, { status, body }: Answer): boolean {
  const guards: readonly { readonly error: string }[] = operations[command].guards;
  if (body?.code === "recording_not_available" || body?.code === "not_supported") return true;
  return status === 409 && guards.some(({ error }) => error === body?.code);
}

/** What it is for may be missing here; whether it works is for other checks to say. */
export async function withoutFail(act: () => Promise<unknown>): Promise<void> {
  await Promise.allSettled([act()]);
}
