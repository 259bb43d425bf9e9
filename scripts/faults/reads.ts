/** Faults of what a gateway shows of calls and of their events. */
import { eventOf } from "./delivery";
import type { Fault, Place } from "./fault";
import { Credentials } from "./memory";
import { field, type HttpAnswer, type HttpRequest, type Json, jsonOf, listIn, within, withJson } from "./message";
import {
  answers,
  changed,
  codeOf,
  is,
  type OperationId,
  query,
  refused,
  requests,
  subjectOf,
  withQuery,
} from "./strokes";

const reads = "contract §4, reads";

/** A value of a session that is wrong, alone and in the list. */
function session(name: string, about: string, change: (session: Json) => Json | undefined): Fault {
  return answers([`reads/${name}`, about, reads], (answer, request) => {
    const json = answer.status === 200 ? jsonOf(answer) : null;
    if (!json) return undefined;
    if (is(request, "getSession")) {
      const values = change(json);
      return values && changed(answer, values);
    }
    if (!is(request, "listSessions")) return undefined;
    const sessions = listIn(json, "sessions").map((each) => ({ ...each, ...change(each) }));
    return JSON.stringify(sessions) === JSON.stringify(json.sessions) ? undefined : changed(answer, { sessions });
  });
}

/** A list that is not what it should be. */
function page(
  name: string,
  about: string,
  of: OperationId,
  change: (json: Json, request: HttpRequest) => Json | undefined,
): Fault {
  return answers([`reads/${name}`, about, `operation ${of}`], (answer, request) => {
    const json = is(request, of) && answer.status === 200 ? jsonOf(answer) : null;
    const other = json && change(json, request);
    return other ? withJson(answer, other) : undefined;
  });
}

const playing = (values: (playback: Json) => Json) => (session: Json) =>
  session.playback
    ? { playback: { ...within(session, "playback"), ...values(within(session, "playback")) } }
    : undefined;

/** What an app must not see is asked for with the credentials of whom it belongs to. */
function leak(name: string, about: string, code: string, ids: readonly OperationId[]): Fault {
  return {
    name: `reads/${name}`,
    about,
    clause: `error ${code}`,
    start: (place: Place) => {
      const credentials = new Credentials();
      const owners = new Map<string, string>();
      return {
        exchange: async (request, next) => {
          const answer = await next(request);
          credentials.see(request, answer);
          const app_id = field(request, "X-App-ID");
          const made = jsonOf(answer)?.room_id ?? jsonOf(answer)?.recording_id;
          if (app_id !== undefined && answer.status < 300) {
            owners.set(subjectOf(request), app_id);
            if (typeof made === "string") owners.set(made, app_id);
          }
          const owner = owners.get(subjectOf(request));
          if (codeOf(answer) !== code || !is(request, ...ids) || owner === undefined || request.passed) return answer;
          const own = credentials.lent(request, owner);
          const shown = own && (await place.ask(own));
          if (!shown || shown.status >= 400) return answer;
          place.strike();
          return shown;
        },
        // Whose call it is that nobody has asked for yet.
        delivery: (delivery, deliver) => {
          const event = eventOf(delivery);
          if (event) owners.set(event.source, event.app_id);
          return deliver(delivery);
        },
      };
    },
  };
}

const ended: Fault = {
  name: "reads/ended-200",
  about: "a call that has ended is shown as it was",
  clause: reads,
  start: (place) => {
    const last = new Map<string, HttpAnswer>();
    return {
      wants: (head) => is(head, "getSession"),
      exchange: async (request, next) => {
        const answer = await next(request);
        const key = `${field(request, "X-App-ID")} ${subjectOf(request)}`;
        if (answer.status === 200 && request.method === "GET") last.set(key, answer);
        const before = last.get(key);
        if (answer.status !== 404 || !before) return answer;
        place.strike();
        return before;
      },
    };
  },
};

export const reading: readonly Fault[] = [
  session("state-ringing", "calls ring for ever", ({ state }) =>
    state === "answered" ? { state: "ringing" } : undefined,
  ),
  session("state-early", "a call that hears something is answered", ({ state }) =>
    state === "early" ? { state: "answered" } : undefined,
  ),
  session("answered-at-null", "nobody knows when a call was answered", ({ answered_at }) =>
    answered_at === null ? undefined : { answered_at: null },
  ),
  session("answered-at-created", "a call was answered when it began", ({ answered_at, created_at }) =>
    answered_at === null ? undefined : { answered_at: created_at },
  ),
  session("caller-swapped", "caller and number are swapped", ({ caller_id, did }) => ({
    caller_id: did,
    did: caller_id,
  })),
  session("muted-never", "nobody is muted", ({ muted }) => (muted === true ? { muted: false } : undefined)),
  session("room-stale", "a call in a room is in none", ({ room_id }) =>
    room_id === null ? undefined : { room_id: null },
  ),
  session("recording-never", "no call is recorded", ({ recording }) =>
    recording === null ? undefined : { recording: null },
  ),
  session("recording-uid", "a recording has a uid of its own", (each) =>
    each.recording === null ? undefined : { recording: { ...within(each, "recording"), command_uid: "recording" } },
  ),
  session("playback-never", "nothing plays", ({ playback }) => (playback === null ? undefined : { playback: null })),
  session(
    "playback-offset-seconds",
    "offset_ms is in seconds",
    playing(({ offset_ms }) => ({ offset_ms: Math.round(Number(offset_ms) / 1000) })),
  ),
  session(
    "playback-offset-zero",
    "offset_ms stays 0",
    playing(() => ({ offset_ms: 0 })),
  ),
  session(
    "playback-never-paused",
    "nothing is paused",
    playing(() => ({ paused: false })),
  ),
  session(
    "playback-index",
    "index counts from 1",
    playing(({ index }) => ({ index: Number(index) + 1 })),
  ),
  session(
    "playback-uid",
    "what plays has no uid of its command",
    playing(() => ({ command_uid: "playback" })),
  ),
  ended,
  page("list-oldest-first", "calls are listed oldest first", "listSessions", (json) => {
    const sessions = listIn(json, "sessions").toReversed();
    return sessions.length > 1 ? { ...json, sessions } : undefined;
  }),
  page("list-rooms-oldest-first", "rooms are listed oldest first", "listRooms", (json) => {
    const rooms = listIn(json, "rooms").toReversed();
    return rooms.length > 1 ? { ...json, rooms } : undefined;
  }),
  page("cursor-skips", "a page after the first leaves out its first call", "listSessions", (json, request) => {
    const sessions = listIn(json, "sessions");
    return query(request).has("cursor") && sessions.length > 0 ? { ...json, sessions: sessions.slice(1) } : undefined;
  }),
  page("cursor-repeats", "the last page has a cursor", "listRooms", (json) =>
    json.next_cursor === null && listIn(json, "rooms").length > 0 ? { ...json, next_cursor: "eyJhIjoxfQ" } : undefined,
  ),
  page("cursor-null", "there is never a second page", "listSessions", (json) =>
    json.next_cursor === null ? undefined : { ...json, next_cursor: null },
  ),
  requests(["reads/limit-ignored", "limit is ignored", "operation listSessions"], (request) =>
    is(request, "listSessions") && /^[1-9]\d?$|^100$/.test(query(request).get("limit") ?? "")
      ? withQuery(request, "limit", null)
      : undefined,
  ),
  requests(["reads/cursor-ignored", "a cursor is ignored", "operation listRooms"], (request) =>
    is(request, "listRooms") && (query(request).get("cursor") ?? "").length > 10
      ? withQuery(request, "cursor", null)
      : undefined,
  ),
  page("events-miss-one", "the second event is not listed", "listSessionEvents", (json) => {
    const events = listIn(json, "events").filter(({ sequence }) => sequence !== 2);
    return events.length < listIn(json, "events").length ? { ...json, events } : undefined;
  }),
  page("events-next-after", "next_after is one too high", "listSessionEvents", (json) =>
    listIn(json, "events").length > 0 ? { ...json, next_after: Number(json.next_after) + 1 } : undefined,
  ),
  page("events-next-after-end", "next_after is 0 at the end", "listSessionEvents", (json) =>
    listIn(json, "events").length === 0 && json.next_after !== 0 ? { ...json, next_after: 0 } : undefined,
  ),
  requests(
    ["reads/events-after-inclusive", "after is the first event that is listed", "operation listSessionEvents"],
    (request) => {
      const after = Number(query(request).get("after") ?? 0);
      return is(request, "listSessionEvents") && Number.isSafeInteger(after) && after > 0
        ? withQuery(request, "after", String(after - 1))
        : undefined;
    },
  ),
  requests(["reads/events-limit-ignored", "limit of events is ignored", "operation listSessionEvents"], (request) =>
    is(request, "listSessionEvents") &&
    /^\d{1,3}$/.test(query(request).get("limit") ?? "0") &&
    query(request).get("limit") !== "0"
      ? withQuery(request, "limit", null)
      : undefined,
  ),
  page("events-reversed", "events are listed the newest first", "listSessionEvents", (json) =>
    listIn(json, "events").length > 1 ? { ...json, events: listIn(json, "events").toReversed() } : undefined,
  ),
  page("room-events-own-only", "events of members are not listed with the room's", "listRoomEvents", (json) => {
    const events = listIn(json, "events").filter(({ room_id }) => room_id !== undefined);
    return events.length < listIn(json, "events").length ? { ...json, events } : undefined;
  }),
  page("room-events-numbers", "the list of a room's events begins again and again", "listRoomEvents", (json) =>
    json.next_after === 0 ? undefined : { ...json, next_after: 0 },
  ),
  answers(
    ["reads/events-after-end-404", "events of a call that has ended are not found", reads],
    async (answer, request, place) => {
      if (!is(request, "listSessionEvents") || answer.status !== 200 || request.passed) return undefined;
      const state = await place.ask({ ...request, target: `/api/v1/sessions/${subjectOf(request)}` });
      return state.status === 404 ? state : undefined;
    },
  ),
  answers(["reads/other-404", "a call of another app is not found", "error session_of_another_app"], (answer) =>
    codeOf(answer) === "session_of_another_app"
      ? refused(answer, 404, "session_not_found", "Session not found")
      : undefined,
  ),
  answers(["reads/room-other-404", "a room of another app is not found", "error room_of_another_app"], (answer) =>
    codeOf(answer) === "room_of_another_app" ? refused(answer, 404, "room_not_found", "Room not found") : undefined,
  ),
  answers(
    ["reads/nobody-403", "a call that does not exist belongs to another app", "error session_not_found"],
    (answer) =>
      codeOf(answer) === "session_not_found"
        ? refused(answer, 403, "session_of_another_app", "Session belongs to a different application")
        : undefined,
  ),
  answers(
    ["reads/recording-other-403", "a recording of nobody belongs to another app", "error recording_not_found"],
    (answer) =>
      codeOf(answer) === "recording_not_found"
        ? refused(answer, 403, "session_of_another_app", "Session belongs to a different application")
        : undefined,
  ),
  answers(
    ["reads/play-nobody-400", "playing to a call that does not exist is a 400", "error session_not_found"],
    (answer, request) =>
      codeOf(answer) === "session_not_found" && is(request, "startPlayback") ? { ...answer, status: 400 } : undefined,
  ),
  leak("session-leak", "everybody sees every call", "session_of_another_app", ["getSession"]),
  leak("session-events-leak", "everybody sees the events of every call", "session_of_another_app", [
    "listSessionEvents",
  ]),
  leak("session-command-leak", "everybody may hang up every call", "session_of_another_app", ["hangup"]),
  leak("room-leak", "everybody sees every room", "room_of_another_app", ["getRoom"]),
  leak("room-command-leak", "everybody may stop what plays in a room", "room_of_another_app", ["stopRoom"]),
  leak("recording-leak", "everybody may fetch every recording", "recording_not_found", ["getRecording"]),
];
