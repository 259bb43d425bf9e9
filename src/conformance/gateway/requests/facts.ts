/**
 * What must be true of the world, or of the request, for each error that is not a matter of one field: by slot, the values
 * that will do, the simplest first. Two errors can be earned together when there is a value for each slot that both are
 * content with; where there is none, the slot says why.
 */
import type { ErrorCode } from "../../../contract";
import { policyOf, type RoutedId } from "./requests";

/** Values that will do, by slot. */
export type Facts = Readonly<Record<string, readonly string[]>>;

/** Why one slot has one value. Those of the request are told of by {@link reasonOf}. */
const reasons: Readonly<Record<string, string>> = {
  session: "A call is nobody's, another app's or one's own; what is nobody's has no state and no memory.",
  room: "A room is nobody's, another app's or one's own; what is nobody's has no state and no memory.",
  node: "What a media server cannot do was never begun there.",
  feature: "What is off was never begun.",
  state: "A call is in one state, and only an answered one gets into a room or is recorded.",
  member: "A call is in one room or in none, and none is left to one that is handed back.",
  muted: "Only a member of a room is muted.",
  recorded: "A call is recorded or it is not.",
  history: "What is pending when a call is handed back is settled by that.",
  media: "A media server fails in one way.",
  store: "What a store would say is not known while it fails.",
  recording: "A recording is there, is not, or cannot be read; only one that is there has a length.",
  file: "A media file is there, is not, or cannot be read; only one that is there has a length.",
};

export function reasonOf(slot: string): string {
  const [place = "", name] = slot.split(" ");
  return reasons[slot] ?? `One request has one ${name === undefined ? place : `${name} in its ${place}`}.`;
}

/** One of these implies the others: what earns it earns them as well. */
export const implied: { readonly [C in ErrorCode]?: readonly ErrorCode[] } = {
  invalid_app_id: ["app_not_found"],
  session_handed_back: ["session_not_answered"],
};

/** Where a request says which call or room it is about. */
export function slotOf(id: RoutedId, subject: "session" | "room"): string {
  const field = subject === "session" ? "session_uuid" : "room_id";
  return policyOf(id)[subject] === "body" ? `body ${field}` : subject;
}

/** What a command is for. */
export const subjectOf = (id: RoutedId) => (policyOf(id).session === "path" ? "session" : "room");

/** There is something to be asked, whoever asks. */
const there = (id: RoutedId): Facts => ({ [subjectOf(id)]: ["own", "foreign"] });

/** What is refused for its media server alone. */
const anybodys = ["own", "foreign", "nobody"];

/** The call that asks for a room. */
const caller = (id: RoutedId): Facts => (policyOf(id).session === "path" ? { session: anybodys } : {});

/** The state of a call for which an operation is ready. */
export interface Condition {
  readonly state: "ringing" | "answered" | "handed_back";
  /** In the room that is spoken of, in another one, or in none. */
  readonly member: "no" | "this" | "other";
  readonly muted: "yes" | "no";
  readonly recorded: "yes" | "no";
}

interface AnyGuard {
  readonly field: string;
  readonly one_of?: readonly unknown[];
  readonly none_of?: readonly unknown[];
}

/** What the state of a call must be for an operation. */
export function guardsOf(id: RoutedId): readonly AnyGuard[] {
  return policyOf(id).guards;
}

/** As the guards of an operation have it. */
export function readiness(id: RoutedId): Condition {
  const wants = (field: string, value: unknown) =>
    guardsOf(id).some((guard) => guard.field === field && guard.one_of?.includes(value));
  const member = guardsOf(id).some(({ field, none_of }) => field === "room_id" && none_of?.includes(null));
  const recorded = wants("recording", true);
  return {
    state: member || recorded || wants("state", "answered") ? "answered" : "ringing",
    member: member ? "this" : "no",
    muted: wants("muted", true) ? "yes" : "no",
    recorded: recorded ? "yes" : "no",
  };
}

/** A command that was sent before, and was taken: by a media server that can, while nothing was off. */
const sent = (id: RoutedId): Facts => ({ ...there(id), node: ["able"], feature: ["on"] });

/** A command that is the only one of its group has opened the window itself. */
const alone: readonly RoutedId[] = ["playRoom", "playAndGetDigits"];

/** Those of which the whole group is for answered calls. */
const members: readonly RoutedId[] = ["joinRoom", "leaveRoom", "mute", "unmute"];

/** Each command, as it meets the media server. */
export const met =
  (conduct: string) =>
  (id: RoutedId): Facts => ({ ...there(id), media: [conduct] });

type Known = { readonly [C in ErrorCode]?: (id: RoutedId) => Facts | null };

const known: Known = {
  server_shutting_down: () => ({ running: ["shut"] }),
  server_draining: () => ({ running: ["shut"] }),
  server_overloaded: () => ({ load: ["full"] }),
  api_key_not_checked: () => ({ store: ["admission away"] }),
  admin_not_configured: () => ({ admin: ["off"] }),
  rate_limited: () => ({ quota: ["used"] }),
  invalid_command: () => ({}),
  webhook_url_must_use_https: () => ({ rules: ["production"], "body webhook_url": ["http", "private http"] }),
  webhook_url_is_private: () => ({ rules: ["production"], "body webhook_url": ["private", "private http"] }),
  session_not_found: (id) => ({ [slotOf(id, "session")]: ["nobody"] }),
  session_of_another_app: (id) => ({ [slotOf(id, "session")]: ["foreign"] }),
  room_not_found: (id) => ({ ...caller(id), [slotOf(id, "room")]: ["nobody"] }),
  room_of_another_app: (id) => ({ ...caller(id), [slotOf(id, "room")]: ["foreign"] }),
  app_not_found: () => ({ path: ["nobody"], store: ["there"] }),
  dead_letter_not_found: () => ({ "body webhook_ids": ["nobody"], store: ["there"] }),
  recording_not_found: () => ({ recording: ["nobody"] }),
  media_file_not_found: () => ({ file: ["nobody"] }),
  page_not_found: (id): Facts => (id === "getDocs" ? { portal: ["missing"] } : {}),
  range_not_satisfiable: (id) => ({
    [id === "getMediaFile" ? "file" : "recording"]: ["own", "nobody"],
    "header Range": ["beyond"],
  }),
  command_uid_reused: (id) => ({ ...there(id), uid: ["given"], history: ["used", "another pending"] }),
  command_uid_pending: (id) => ({
    ...sent(id),
    uid: ["given"],
    history: ["pending", "another pending"],
    ...(readiness(id).state === "answered" && { state: ["answered"] }),
  }),
  recording_not_available: () => ({ session: anybodys, feature: ["off"] }),
  embedded_engine_off: () => ({ engine: ["off"] }),
  not_supported: (id) => ({ [subjectOf(id)]: anybodys, node: ["lacking"] }),
  session_handed_back: (id) => ({
    ...there(id),
    state: ["handed_back"],
    member: ["no"],
    history: ["none", "used"],
  }),
  session_not_answered: (id) => ({ ...there(id), state: ["ringing"] }),
  session_in_other_room: (id) => ({ ...there(id), node: ["able"], state: ["answered"], member: ["other"] }),
  room_on_other_node: (id) => ({ ...there(id), "body room_id": ["far"] }),
  session_not_in_conference: (id) => ({ ...there(id), member: ["no"], muted: ["no"] }),
  session_already_muted: (id) => ({ ...there(id), member: ["this"], muted: ["yes"] }),
  session_already_unmuted: (id) => ({ ...there(id), member: ["this", "no"], muted: ["no"] }),
  recording_in_progress: (id) => ({ ...sent(id), state: ["answered", "handed_back"], recorded: ["yes"] }),
  no_recording_in_progress: (id) => ({ ...there(id), recorded: ["no"] }),
  room_name_taken: () => ({ "body name": ["taken"], store: ["there"] }),
  room_limit_reached: () => ({ rooms: ["full"], store: ["there"] }),
  too_many_streams: () => ({ streams: ["full"] }),
  did_taken: () => ({ "body dids": ["taken"], store: ["there"] }),
  no_app_takes_number: () => ({ "body did": ["nobody"] }),
  command_rate_limited: (id) => ({
    ...there(id),
    cooldown: ["open"],
    ...(alone.includes(id) && { node: ["able"] }),
    ...(members.includes(id) && { state: ["answered", "handed_back"] }),
  }),
  media_server_unavailable(id) {
    if (policyOf(id).command) return met("unreachable")(id);
    // A room is closed whatever its media server says, but not when that is another instance's to ask.
    if (id === "deleteRoom") return { ...there(id), media: ["elsewhere"], store: ["there"] };
    return { media: ["unreachable"], store: ["there"] };
  },
  media_server_timed_out: met("late"),
  store_unavailable: () => ({ store: ["clock away"] }),
};

/** What earns an error of an operation. Undefined: a matter of the request alone. Null: nothing is known. */
export type FactsOf = (code: ErrorCode, id: RoutedId) => Facts | null | undefined;

/** As far as it lies before what an operation does: for what fails behind the checks see who makes it fail. */
export function factsOf(code: ErrorCode, id: RoutedId): Facts | null | undefined {
  return known[code]?.(id);
}

/** What earns both, or the slot that keeps them apart. */
export function merged(one: Facts, other: Facts): { readonly facts: Facts } | { readonly apart: string } {
  const facts: Record<string, readonly string[]> = { ...one };
  for (const [slot, values] of Object.entries(other)) {
    const both = one[slot]?.filter((value) => values.includes(value)) ?? values;
    if (both.length === 0) return { apart: slot };
    facts[slot] = both;
  }
  return { facts };
}
