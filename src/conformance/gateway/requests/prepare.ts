/** Makes true, by commands alone, what the errors of a request need, and writes the request that is wrong in no other way. */
import { randomUUID } from "node:crypto";
import type { KitApp } from "../ground/app";
import type { JsonObject } from "../ground/client";
import type { World } from "../world";
import { type Condition, type Facts, readiness, slotOf, subjectOf } from "./facts";
import { expectTaken } from "./failure";
import {
  exampleBody,
  exampleRequest,
  type HttpRequest,
  type Names,
  policyOf,
  type RoutedId,
  withBody,
  withHeaders,
} from "./requests";
import {
  absentApp,
  absentNumber,
  callIn,
  crowd,
  crowdedName,
  dialplan,
  handBack,
  headersOf,
  newCallIn,
  opener,
  originOf,
  readers,
  recordingOf,
  type Stage,
  scratchApp,
  slowApp,
} from "./states";

/** A request, and the one that must come right before it, in the same packet. */
export interface Prepared {
  readonly request: HttpRequest;
  readonly before: HttpRequest | null;
  /** The call that it is about, if there is one: to be left when the answer is there. */
  readonly stage: Stage | null;
}

/** What a uid was used for before: it changes nothing that a guard looks at. */
const another = (id: RoutedId): RoutedId => {
  if (subjectOf(id) === "room") return id === "stopRoom" ? "pauseRoom" : "stopRoom";
  return id === "stopPlayback" ? "pausePlayback" : "stopPlayback";
};

/** How often a command is tried again whose window another check has opened on the same call. */
const most_tries = 40;

const states: readonly Condition["state"][] = ["ringing", "answered", "handed_back"];
const memberships: readonly Condition["member"][] = ["no", "this", "other"];
const answers: readonly Condition["muted"][] = ["yes", "no"];

/** How the call must be: as the operation wants it, but for what the facts say. */
function wantedBy(id: RoutedId, { state, member, muted, recorded }: Facts): Condition {
  const usual = readiness(id);
  const wanted = {
    state: states.find((value) => value === state?.[0]) ?? usual.state,
    member: memberships.find((value) => value === member?.[0]) ?? usual.member,
    muted: answers.find((value) => value === muted?.[0]) ?? usual.muted,
    recorded: answers.find((value) => value === recorded?.[0]) ?? usual.recorded,
  };
  return wanted.member === "no" ? { ...wanted, muted: "no" } : wanted;
}

/** Sends a command that must be taken, in the name of the app that has the call or room. */
async function take(app: KitApp, id: RoutedId, names: Partial<Names>, more: JsonObject = {}): Promise<string> {
  const origin = originOf(app.world, app);
  const body = { ...exampleBody(id, origin, names), ...more };
  const request = withBody(exampleRequest(id, origin, names), body);
  for (let tried = 0; ; tried += 1) {
    const answer = await app.world.request(request);
    if (answer.status !== 429 || tried === most_tries) return expectTaken(answer, id);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** Groups of commands for members of a room. */
const members: readonly string[] = ["conference", "conference_mute"];

/** Opens the window of an operation's group on a call of its own that is, or becomes, what is wanted. */
async function hotCall(world: World, id: RoutedId, wanted: Condition): Promise<Stage> {
  const group = policyOf(id).command?.cooldown?.group;
  const mute = group === "conference_mute" && wanted.member !== "no";
  const join = members.includes(group ?? "") && wanted.member === "no";
  const before = mute ? ({ ...wanted, muted: wanted.muted === "yes" ? "no" : "yes" } as const) : wanted;
  const stage = await newCallIn(world, join ? { ...before, member: "this" } : before);
  const { call, room_id } = stage;
  if (mute) await call.done(wanted.muted === "yes" ? "mute" : "unmute");
  else if (join) {
    if (group === "conference_mute") await call.done("mute");
    // Who is put out of a room has not left it by a command: the window is that of what he did in it.
    await world.request({ method: "DELETE", path: `/api/v1/conferences/${room_id}`, headers: call.app.headers });
    await call.event("conference.member.left");
    return { ...stage, room_id: (await call.app.room(call.source)).source };
  } else if (wanted.recorded === "no" && group !== "conference") {
    const opening = group === "seek" ? another(id) : id === "startRecording" ? "playAndGetDigits" : id;
    await take(call.app, opening, { uuid: call.source });
  }
  return stage;
}

/** The call that a command is for. */
async function stageOf(world: World, id: RoutedId, facts: Facts, uid: string): Promise<Stage> {
  const wanted = wantedBy(id, facts);
  const used = facts.history?.[0] === "used";
  const use = ({ call }: Stage) => take(call.app, another(id), { uuid: call.source }, { command_uid: uid });
  const hot = facts.cooldown?.[0] === "open";
  // What was done to a call was done before it was handed back.
  if (wanted.state === "handed_back" && (used || hot)) {
    await dialplan(world);
    const answered = { ...wanted, state: "answered" } as const;
    const stage = await (hot ? hotCall(world, id, answered) : newCallIn(world, answered));
    if (used) await use(stage);
    await handBack(stage.call);
    return stage;
  }
  const stage = await (hot ? hotCall(world, id, wanted) : callIn(world, wanted));
  if (used) await use(stage);
  return stage;
}

/** The room that a command is for. */
async function roomFor(app: KitApp, id: RoutedId, facts: Facts, uid: string): Promise<string> {
  const { source: room_id } = await app.room();
  const used = facts.history?.[0] === "used";
  if (used) await take(app, another(id), { room_id }, { command_uid: uid });
  if (facts.cooldown?.[0] === "open") await take(app, id === "playRoom" ? id : another(id), { room_id });
  return room_id;
}

const exists = (facts: Facts, slot: string) => facts[slot]?.[0] === "own" || facts[slot]?.[0] === "foreign";

async function namesOf(world: World, id: RoutedId, facts: Facts, uid: string) {
  const app = await world.main();
  const names: { -readonly [N in keyof Names]?: Names[N] } = { app_id: absentApp(world) };
  if (id === "putApp" && facts.path === undefined) names.app_id = scratchApp(world);
  if (id === "replayDeadLetters" && facts["body webhook_ids"] && !facts.path) names.app_id = app.app_id;
  if (facts.recording?.[0] === "own") names.recording_id = await recordingOf(world);
  const stage = exists(facts, slotOf(id, "session")) ? await stageOf(world, id, facts, uid) : null;
  if (stage) {
    names.uuid = stage.call.source;
    names.room_id = stage.room_id;
  }
  if (exists(facts, "room")) names.room_id = await roomFor(app, id, facts, uid);
  if (facts["body room_id"]?.[0] === "foreign") names.room_id = (await (await world.other()).room()).source;
  if (facts["body room_id"]?.[0] === "nobody") delete names.room_id;
  return { names, stage };
}

/** Of the body, as far as the example is not good enough. */
async function fieldsOf(world: World, id: RoutedId, facts: Facts, uid: string): Promise<JsonObject> {
  const value = (slot: string) => facts[slot]?.[0];
  if (id === "createSandboxCall") return { did: absentNumber(world), caller_id: undefined, script: [{ do: "hangup" }] };
  if (id === "putApp") {
    const dids = value("body dids") === "taken" ? [(await world.other()).did] : [];
    return { webhook_url: "", api_key: undefined, dids };
  }
  if (id === "createRoom") {
    const taken = facts.rooms ? crowdedName : await takenName(world);
    const name = value("body name") === "taken" ? taken : `kit-${randomUUID()}`;
    return { name, ...(value("body session_uuid") === undefined && { session_uuid: undefined }) };
  }
  return value("uid") === "given" ? { command_uid: uid } : {};
}

/** A name that the main app has given to a room. */
export function takenName(world: World): Promise<string> {
  return world.once("a name that is taken", async () => (await (await world.main()).room()).name);
}

/** @returns a request of this operation, for which all of this is so */
export async function prepared(world: World, id: RoutedId, facts: Facts): Promise<Prepared> {
  const uid = `kit-${randomUUID()}`;
  const main = await world.main();
  const { names, stage } = await namesOf(world, id, facts, uid);
  let request = exampleRequest(id, originOf(world, main), names);
  const fields = await fieldsOf(world, id, facts, uid);
  if (request.body !== null && Object.keys(fields).length > 0)
    request = withBody(request, { ...JSON.parse(String(request.body)), ...fields });
  const foreign = ["session", "room", "body session_uuid"].some((slot) => facts[slot]?.[0] === "foreign");
  if (foreign) request = withHeaders(request, headersOf(await world.other()));
  if (facts.rooms) request = withHeaders(request, headersOf(await crowd(world)));
  if (facts.streams) request = withHeaders(request, headersOf(await readers(world)));
  if (facts["header Range"]) request = withHeaders(request, { Range: "bytes=9999999999-" });
  if (facts.quota === undefined) return { request, before: null, stage };
  const slow = await slowApp(world);
  return { request: withHeaders(request, headersOf(slow)), before: opener(slow), stage };
}
