/** What can happen, as plain data: what fails is shrunk, and can be read and repeated. */
import fc from "fast-check";
import type { CommandId, RoomCommandId } from "../../src/contract";
import { type Conduct, obedient } from "./model-engine";
import type { World } from "./model-world";

const happenings = [
  ...["early", "dtmf", "answered", "answered", "played", "played", "moved", "moved", "collected", "recorded"],
  ...["room played", "room played", "room lost", "hangup", "lost"],
];

type Action =
  | { readonly do: "call"; readonly answered: boolean }
  | { readonly do: "room"; readonly name: number; readonly conduct: Conduct }
  | { readonly do: "close"; readonly which: number; readonly conduct: Conduct }
  | { readonly do: "end"; readonly which: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "happens"; readonly what: string; readonly which: number }
  | {
      readonly do: CommandId | RoomCommandId;
      readonly which: number;
      /** The room that is meant, and more than one form of the body. */
      readonly other: number;
      readonly uid: number | null;
      /** The same once more, at the same moment. */
      readonly twice: boolean;
      readonly conduct: Conduct;
    };

/** `next`: is the next one begun before this one has settled? */
type Step = Action & { readonly next: boolean };

const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, { arbitrary, weight: 1 });

const contrary: fc.Arbitrary<Conduct> = fc.record({
  refusal: rarely(fc.constantFrom("gone", "unreachable", "late", "unsupported")),
  takes: fc.constantFrom(0, 0, 30, 1990, 2010, null),
  confirms: fc.constantFrom(0, 30, 500, 1500, 1990, 2010, 15_010, null),
  fails: fc.boolean(),
  deaf: fc.boolean(),
});
/** Mostly it does as it is told. */
const conduct = fc.oneof({ arbitrary: fc.constant(obedient), weight: 5 }, { arbitrary: contrary, weight: 4 });

const which = fc.nat({ max: 3 });
const session: readonly CommandId[] = [
  ...([
    "answer",
    "answer",
    "answer",
    "hangup",
    "disconnect",
    "startPlayback",
    "startPlayback",
    "startPlayback",
    "stopPlayback",
  ] as const),
  ...(["pausePlayback", "resumePlayback", "restartPlayback", "seekPlayback", "playSilence"] as const),
  ...(["playAndGetDigits", "playAndGetDigits", "startRecording", "startRecording", "stopRecording"] as const),
  ...([
    "joinRoom",
    "joinRoom",
    "joinRoom",
    "leaveRoom",
    "leaveRoom",
    "mute",
    "mute",
    "mute",
    "unmute",
    "unmute",
  ] as const),
];
const room: readonly RoomCommandId[] = ["playRoom", "playRoom", "pauseRoom", "setRoomVolume", "stopRoom"];
const twice = fc.nat({ max: 5 }).map((n) => n === 1);
const asked = { which, other: which, uid: fc.option(fc.nat({ max: 3 }), { freq: 2 }), twice, conduct };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant("call" as const), answered: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("room" as const), name: fc.nat({ max: 2 }), conduct }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), which, conduct: contrary }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), which }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(30, 100, 500, 500, 2000, 2000, 2000, 15_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("happens" as const), what: fc.constantFrom(...happenings), which }),
  },
  { weight: 24, arbitrary: fc.record({ do: fc.constantFrom(...session), ...asked }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...room), ...asked }) },
);

/** There is always something to act on at first. */
const opening: readonly Step[] = [
  { do: "call", answered: true, next: false },
  { do: "call", answered: false, next: false },
  { do: "room", name: 0, conduct: obedient, next: false },
];
const joining: readonly Step[] = [
  { do: "joinRoom", which: 1, other: 0, uid: null, twice: false, conduct: obedient, next: false },
  { do: "wait", ms: 2000, next: false },
];

export const sequences = fc.record({
  opening: fc.constantFrom(opening, [...opening, ...joining]),
  /** For how many turns calls of the store let others go first. */
  turns: fc.array(fc.nat({ max: 12 }), { maxLength: 5 }),
  steps: fc.array(
    fc.tuple(action, fc.boolean()).map(([of, next]): Step => ({ ...of, next })),
    { minLength: 1, maxLength: 80, size: "max" },
  ),
});

const urls = [["http://a/1"], ["http://a/1", "http://a/2"]];

export async function act(world: World, step: Step): Promise<void> {
  const { engine, sessions } = world;
  switch (step.do) {
    case "call":
      return world.launch(world.call(step.answered));
    case "room":
      return world.launch(world.room(`room${step.name}`, step.conduct));
    case "wait":
      return world.pass(step.ms);
    case "close": {
      const room_id = pick(world.rooms, step.which);
      if (room_id === null) return;
      engine.closes = step.conduct;
      return world.launch(sessions.closeRoom(room_id));
    }
    case "end": {
      const session_uuid = pick([...engine.calls.keys()], step.which);
      if (session_uuid !== null) world.launch(sessions.end(session_uuid, "APP_DELETED"));
      return;
    }
    case "happens":
      return happens(world, step.what, step.which);
    default: {
      const { which: n, other, uid, conduct: met } = step;
      const command = step.do;
      const isRoom = room.some((id) => id === command);
      const id = pick(isRoom ? open(world, n) : alive(world, n), n);
      if (id === null) return;
      const body = bodyOf(world, command, other);
      // The last of four belongs to all commands.
      const command_uid = uid === null ? null : uid === 3 ? "any" : `${command}${uid}`;
      if (step.twice) world.launch(world.command({ command, id, body, command_uid, conduct: met }));
      return world.launch(world.command({ command, id, body, command_uid, conduct: met }));
    }
  }
}

/** Mostly those that are there, but for the last of four, which may be any. */
function alive({ engine, calls }: World, n: number): readonly string[] {
  return n === 3 ? calls : [...engine.calls].flatMap(([id, call]) => (call.away ? [] : [id]));
}

function open({ engine, rooms }: World, n: number): readonly string[] {
  return n === 3 ? rooms : [...engine.rooms.keys()];
}

/** The newest first: they are the most likely to be there. */
function pick(ids: readonly string[], n: number): string | null {
  return ids.at(-1 - (n % Math.max(1, ids.length))) ?? null;
}

function bodyOf(world: World, command: CommandId | RoomCommandId, other: number): Record<string, unknown> {
  switch (command) {
    case "startPlayback":
      return { urls: urls[other % 2] };
    case "playRoom":
      return { urls: urls[other % 2], loop: false, volume: 0 };
    case "joinRoom":
      return { room_id: pick(open(world, other), other) ?? "model-room-none", muted: other % 2 === 1 };
    case "pauseRoom":
      return { paused: other % 2 === 0 };
    default:
      return {};
  }
}

/** By no command. */
function happens({ engine, rooms }: World, what: string, n: number): void {
  const call = engine.calls.get(pick([...engine.calls.keys()], n) ?? "");
  const place = engine.rooms.get(pick(rooms, n) ?? "");
  if (what === "room lost") {
    if (place) engine.lose(place.room_id);
    return;
  }
  if (what === "room played") place?.playing.end("completed", "No file could be played");
  if (!call?.accepted || what === "room played") return;
  if (what === "hangup") call.hangup("caller");
  else if (what === "lost") call.hangup("gateway", "MEDIA_SERVER_LOST", true);
  else if (what === "recorded") call.stopRecording();
  else if (call.away) return;
  else if (what === "dtmf") call.emit({ type: "dtmf", digit: "5", duration_ms: 100 });
  else if (what === "played") call.playing.end("completed", "No file could be played");
  else if (what === "moved") call.playing.move({ index: 1 });
  else if (what === "collected") call.collected("success");
  else if (!call.answered && what === "answered") {
    call.answered = true;
    call.emit({ type: "answered", operation_id: null });
  } else if (what === "early" && !call.answered) call.emit({ type: "early" });
}
