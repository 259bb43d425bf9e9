/**
 * What is put right whenever the events of an Asterisk are read again: calls of this process that ended meanwhile, calls of
 * an earlier process that go on, and what is left of both that nobody needs.
 */
import type { Log } from "../../log";
import { sideBySide } from "../../side_by_side";
import { gatewayCauses } from "../causes";
import type { Switchboard } from "../control/switchboard";
import type { Sink, Survivor, Survivors } from "../engine";
import { type Ari, at, unlessGone } from "./ari";
import { type Channel, readBridges, readChannels } from "./dialect";
import { type AsteriskLeg, readVariable, sessionVariable } from "./leg";
import type { OwnChannels } from "./own_channels";
import type { AsteriskServer } from "./server";
import { stopAll } from "./speaker";
import { endTape } from "./tape";

export interface TakeoverMeans {
  readonly node: string;
  readonly app: string;
  readonly ari: Ari;
  readonly own: OwnChannels;
  readonly server: AsteriskServer;
  readonly switchboard: Switchboard;
  readonly sink: Sink;
  /** Are its events still this process's to read, as they were when this began? */
  readonly current: () => boolean;
  /** By their channels. */
  readonly legs: ReadonlyMap<string, AsteriskLeg>;
  readonly log: Log;
  newLeg(session_uuid: string, channel: Channel): AsteriskLeg;
  /** One that wants in, and that nobody knows. */
  arrived(channel: Channel): void;
}

/** Requests at a time. */
const atOnce = 16;

interface There {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly bridges: ReadonlyMap<string, readonly string[]>;
  readonly survivors: Survivors;
  /** Calls of this process, those that were accepted and those that were not yet. */
  readonly known: readonly AsteriskLeg[];
  readonly offered: readonly AsteriskLeg[];
}

/** Calls of an earlier process, and of nobody, that the media server goes on with. */
interface Found {
  readonly calls: ReadonlyMap<string, { readonly survivor: Survivor; readonly channel: Channel }>;
  readonly strays: readonly { readonly session_uuid: string | null; readonly channel: Channel }[];
}

/** @throws Refused; Malformed; when the store cannot be asked. Then it is done again. */
export async function takeOver(means: TakeoverMeans): Promise<void> {
  const { ari, node, sink, switchboard, server, legs, current } = means;
  // Before anything is asked: what comes in or is accepted meanwhile stands in no answer, and is none the worse for it.
  const known = [...legs.values()].filter(({ accepted }) => accepted);
  const offered = [...legs.values()].filter(({ accepted }) => !accepted);
  const bridges = readBridges(await ari.request("GET", "/bridges"));
  const listed = readChannels(await ari.request("GET", "/channels"));
  const channels = new Map(listed.map((channel) => [channel.id, channel]));
  const there = { channels, bridges, known, offered, survivors: await sink.survivors(node) };
  const found = await search(there, means);
  await quieten(there, found, means);
  if (!current()) return;
  // At once: whoever gives a command finds all of them, or is told that none can be asked yet.
  switchboard.reads(true);
  adoptRooms(there, means);
  adoptCalls(there, found, means);
  await server.verify();
  await verifyKnown(there, means);
  await sideBySide(found.strays, atOnce, (stray) => end(stray, means));
  if (current()) await cleanUp(there, means);
}

/** Whose are the channels that nobody knows here? */
async function search({ channels, survivors }: There, { ari, app, own, legs }: TakeoverMeans): Promise<Found> {
  const known = new Map(survivors.calls.map((call) => [call.session_uuid, call]));
  const calls = new Map<string, { survivor: Survivor; channel: Channel }>();
  const strays: Found["strays"][number][] = [];
  const strangers = [...channels.values()].filter(({ id }) => !own.isOwn(id) && !legs.has(id));
  await sideBySide(strangers, atOnce, async (channel) => {
    const session_uuid = await readVariable(ari, channel.id, sessionVariable);
    const survivor = known.get(session_uuid ?? "");
    if (survivor) calls.set(survivor.session_uuid, { survivor, channel });
    else if (isOurs(channel, app)) strays.push({ session_uuid, channel });
  });
  return { calls, strays };
}

/** What an earlier process has begun ends: its files go with it, and nobody waits for what comes of it. */
async function quieten(there: There, { calls }: Found, { ari, app, server }: TakeoverMeans): Promise<void> {
  await sideBySide(there.survivors.rooms, atOnce, async ({ room_id }) => {
    if (!server.hasRoom(room_id) && there.bridges.has(room_id)) await stopAll(ari, room_id);
  });
  await sideBySide([...calls.values()], atOnce, async ({ survivor: { session_uuid, state, recording } }) => {
    if (state !== "handed_back") await stopAll(ari, session_uuid);
    if (recording) await endTape(ari, app, recording.recording_id);
  });
}

function adoptRooms({ bridges, survivors }: There, { server, switchboard, sink }: TakeoverMeans): void {
  for (const { room_id, playback } of survivors.rooms) {
    if (server.hasRoom(room_id)) continue;
    if (bridges.has(room_id)) {
      server.addRoom(room_id);
      switchboard.adoptRoom(room_id, playback);
      // One that this process knew was lost with its media server, and is opened again by whoever wants into it.
    } else if (!switchboard.has(room_id)) sink.emitRoom({ room_id, type: "lost" });
  }
}

function adoptCalls(there: There, { calls }: Found, means: TakeoverMeans): void {
  const { newLeg, server, switchboard, sink, log } = means;
  for (const survivor of there.survivors.calls) {
    const { session_uuid, state, room, recording } = survivor;
    if (switchboard.has(session_uuid)) continue;
    const channel = calls.get(session_uuid)?.channel;
    if (!channel) {
      const { name, q850, sip } = gatewayCauses.MEDIA_SERVER_LOST;
      log.warn({ session_uuid }, "call of an earlier process lost");
      const sip_status = state === "ringing" || state === "early" ? sip : null;
      sink.emit({ session_uuid, type: "hangup", cause: name, q850_cause: q850, sip_status, by: "gateway", lost: true });
      continue;
    }
    const isInside = room !== null && there.bridges.get(room.room_id)?.includes(channel.id) === true;
    const leg = newLeg(session_uuid, channel);
    leg.accepted = true;
    server.addLine(session_uuid, channel.id, isInside ? room.room_id : null);
    switchboard.adopt(isInside ? survivor : { ...survivor, room: null }, leg);
    log.info({ session_uuid, state }, "call of an earlier process taken up");
    if (room && !isInside)
      sink.emit({ session_uuid, type: "room.left", operation_id: null, room_id: room.room_id, reason: "orphan" });
    // Its parts are in the hands of nobody.
    if (recording) switchboard.recorded(recording.recording_id, "its gateway is gone");
  }
}

/** Calls that are known: those that ended are told so, those that the store has given up are ended. */
async function verifyKnown({ channels, survivors, known, offered }: There, means: TakeoverMeans): Promise<void> {
  const { ari, server, switchboard, log } = means;
  const live = new Set(survivors.calls.map(({ session_uuid }) => session_uuid));
  const waits = new Set(offered);
  await sideBySide([...known, ...offered], atOnce, async (leg) => {
    const { session_uuid } = leg;
    const channel = channels.get(leg.channel.id);
    if (channel && (live.has(session_uuid) || waits.has(leg))) await leg.verify(channel.state);
    else {
      log.warn({ session_uuid, at_asterisk: channel !== undefined }, "call lost");
      if (channel) await unlessGone(ari.request("DELETE", at`/channels/${channel.id}`));
      // What was recorded of it is joined by now: its end is not to be told before its file is whole.
      await server.taped(session_uuid);
      switchboard.lostCall(session_uuid);
    }
  });
}

/** One that is in the application, and of whose call nobody knows: it was never offered, or its end was told. */
async function end({ session_uuid, channel }: Found["strays"][number], means: TakeoverMeans): Promise<void> {
  if (!means.current()) return;
  if (session_uuid === null && channel.state !== "Up") means.arrived(channel);
  else {
    means.log.warn({ session_uuid }, "call that nobody knows ended");
    await unlessGone(means.ari.request("DELETE", at`/channels/${channel.id}`));
  }
}

/** Snoops, players and rooms that nobody needs any more. */
async function cleanUp({ channels, bridges, survivors }: There, means: TakeoverMeans): Promise<void> {
  const { own, server, node, ari } = means;
  for (const id of channels.keys()) if (own.isOwn(id) && !own.isKnown(id)) own.drop(id);
  const rooms = new Set(survivors.rooms.map(({ room_id }) => room_id));
  const left = [...bridges.keys()].filter(
    (id) => id.startsWith(`${node}-room-`) && !rooms.has(id) && !server.hasRoom(id),
  );
  await sideBySide(left, atOnce, (id) => unlessGone(ari.request("DELETE", at`/bridges/${id}`)));
}

const isOurs = ({ app_name, app_data }: Channel, app: string) =>
  app_name === "Stasis" && (app_data === app || app_data.startsWith(`${app},`));
