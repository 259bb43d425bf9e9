/** Faults of conference rooms. */
import type { Fault } from "./fault";
import { having } from "./memory";
import { field, type HttpAnswer, isObject, type Json, jsonOf, listIn, withField, within, withJson } from "./message";
import { answers, bodies, changed, codeOf, is, subjectOf } from "./strokes";

const section5 = "contract §5, conference rooms";

/** A value of a room that is wrong. */
function room(name: string, about: string, change: (room: Json) => Json | undefined): Fault {
  return answers([`rooms/${name}`, about, "operation getRoom"], (answer, request) => {
    const json = is(request, "getRoom") && answer.status === 200 ? jsonOf(answer) : null;
    const values = json && change(json);
    return values ? changed(answer, values) : undefined;
  });
}

const members = (change: (member: Json) => Json) => (json: Json) => {
  const before = listIn(json, "members");
  const after = before.map((member) => ({ ...member, ...change(member) }));
  return JSON.stringify(before) === JSON.stringify(after) ? undefined : { members: after };
};
const playing = (change: (playback: Json) => Json) => (json: Json) =>
  json.playback ? { playback: { ...within(json, "playback"), ...change(within(json, "playback")) } } : undefined;

/** Whole answers of rooms, as they were last. */
function stale(name: string, about: string, when: (answer: HttpAnswer) => boolean): Fault {
  return {
    name: `rooms/${name}`,
    about,
    clause: section5,
    start: (place) => {
      const last = new Map<string, HttpAnswer>();
      return {
        wants: (head) => is(head, "getRoom"),
        exchange: async (request, next) => {
          const answer = await next(request);
          const key = `${field(request, "X-App-ID")} ${subjectOf(request)}`;
          const before = last.get(key);
          if (answer.status === 200 && request.method === "GET" && !before) last.set(key, answer);
          if (!before || !when(answer)) return answer;
          place.strike();
          return before;
        },
      };
    },
  };
}

export const rooms: readonly Fault[] = [
  room("no-members", "a room has no members", (json) =>
    listIn(json, "members").length > 0 ? { members: [] } : undefined,
  ),
  room(
    "members-unmuted",
    "members are never muted",
    members(({ muted }) => (muted === true ? { muted: false } : {})),
  ),
  room("members-reversed", "members stand in the order of their leaving", (json) =>
    listIn(json, "members").length > 1 ? { members: listIn(json, "members").toReversed() } : undefined,
  ),
  room(
    "member-caller",
    "members have the number of the room in place of their own",
    members(() => ({ caller_id: "anonymous" })),
  ),
  room("name-lower-case", "a room's name is in lower case", (json) => {
    const name = String(json.name).toLowerCase();
    return name === json.name ? undefined : { name };
  }),
  room("playback-never", "nothing plays in a room", (json) => (json.playback ? { playback: null } : undefined)),
  room(
    "playback-loop",
    "nothing is repeated",
    playing(() => ({ loop: false })),
  ),
  room(
    "playback-volume",
    "the volume is always 0",
    playing(() => ({ volume: 0 })),
  ),
  room(
    "playback-paused",
    "nothing is paused",
    playing(() => ({ paused: false })),
  ),
  stale("destroyed-stays", "a room that was closed is still shown", ({ status }) => status === 404),
  answers(["rooms/count-zero", "member_count is always 0", "operation listRooms"], (answer, request) => {
    const json = is(request, "listRooms") && answer.status === 200 ? jsonOf(answer) : null;
    const all = listIn(json, "rooms");
    return all.some((each) => each.member_count !== 0)
      ? changed(answer, { rooms: all.map((each) => ({ ...each, member_count: 0 })) })
      : undefined;
  }),
  answers(
    ["rooms/name-again", "a name that is taken may be used again", "error room_name_taken"],
    (answer, request, place) => {
      const body = jsonOf(request);
      if (codeOf(answer) !== "room_name_taken" || !body || request.passed) return undefined;
      return place.ask(having(request, { ...body, name: `x${String(body.name).slice(0, 60)}-2` }));
    },
  ),
  answers(["rooms/delete-200", "a room is closed with a 200", "operation deleteRoom"], (answer, request) =>
    is(request, "deleteRoom") && answer.status === 204
      ? withField(
          { ...withJson(answer, { success: true }), status: 200 },
          "Content-Type",
          "application/json; charset=utf-8",
        )
      : undefined,
  ),
  answers(["rooms/created-200", "a room is made with a 200", "operation createRoom"], (answer, request) =>
    is(request, "createRoom") && answer.status === 201 ? { ...answer, status: 200 } : undefined,
  ),
  {
    name: "rooms/delete-does-nothing",
    about: "a room with members is not closed",
    clause: "operation deleteRoom",
    start: (place) => ({
      wants: (head) => is(head, "deleteRoom"),
      exchange: async (request, next) => {
        const shown = await place.ask({ ...request, method: "GET", body: Buffer.alloc(0) });
        if (shown.status !== 200 || listIn(jsonOf(shown), "members").length === 0) return next(request);
        place.strike();
        const fields = shown.fields.filter(([name]) => !/^content-/i.test(name));
        return { ...shown, status: 204, fields, body: Buffer.alloc(0) };
      },
    }),
  },
  bodies(["rooms/join-unmuted", "who is to join muted is heard", "operation joinRoom"], ["joinRoom"], (body) =>
    body.muted === true ? { ...body, muted: false } : undefined,
  ),
  bodies(["rooms/pause-default", "pause without paused goes on", "operation pauseRoom"], ["pauseRoom"], (body) =>
    body.paused === undefined ? { ...body, paused: false } : undefined,
  ),
  bodies(["rooms/volume-upside-down", "louder is quieter", "operation setRoomVolume"], ["setRoomVolume"], (body) =>
    typeof body.volume === "number" && Math.abs(body.volume) < 5 && body.volume !== 0
      ? { ...body, volume: -body.volume }
      : undefined,
  ),
  bodies(["rooms/loop-ignored", "loop is ignored", "operation playRoom"], ["playRoom"], (body) =>
    body.loop === true ? { ...body, loop: false } : undefined,
  ),
  answers(
    ["rooms/join-not-in", "leaving without a room is done", "error session_not_in_conference"],
    (answer, request) => {
      if (codeOf(answer) !== "session_not_in_conference" || !is(request, "leaveRoom")) return undefined;
      const operation = {
        operation_id: "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60",
        status: "in_progress",
        timeout_ms: 2000,
      };
      return { ...withJson(answer, operation), status: 202 };
    },
  ),
  answers(["rooms/timeout", "room play may take two seconds alone", "operation playRoom"], (answer, request) =>
    is(request, "playRoom") && answer.status === 202 ? changed(answer, { timeout_ms: 2000 }) : undefined,
  ),
  answers(
    ["rooms/status-accepted", "commands of rooms are accepted, not in progress", "operation pauseRoom"],
    (answer, request) =>
      is(request, "pauseRoom") && answer.status === 202 && isObject(jsonOf(answer))
        ? changed(answer, { status: "accepted" })
        : undefined,
  ),
];
