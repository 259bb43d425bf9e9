/**
 * Finds out after each connect what became of the calls meanwhile, and puts right what differs: between what FreeSWITCH has,
 * what this process has, and what the store has. Events wait until it is done.
 */
import type { Log } from "../../log";
import { gatewayCauses } from "../causes";
import type { Switchboard } from "../control/switchboard";
import { Refused, type Sink, type Survivor } from "../engine";
import type { Channel } from "./channel";
import { breakOff, type Command, channels, dump, members, stopRoom } from "./commands";
import { FreeswitchEvent } from "./event";
import { FramingError } from "./frames";
import type { ChannelFacts, FreeswitchLeg } from "./leg";
import { factsOf } from "./leg";
import type { Link } from "./link";
import type { FreeswitchServer } from "./server";
import { type ChannelRow, channelRows, type MemberRow, memberRows } from "./survey";

export interface CensusMeans {
  readonly node: string;
  readonly link: Link;
  readonly server: FreeswitchServer;
  readonly switchboard: Switchboard;
  readonly log: Log;
  /** Is it this process that takes up the calls? */
  reading(): boolean;
  leg(uuid: string): FreeswitchLeg | undefined;
  /** A leg for a channel that this process has from now on. */
  newLeg(facts: ChannelFacts, answered: boolean): FreeswitchLeg;
  /** A call that wants in. */
  offer(facts: ChannelFacts): void;
}

/** A call in the conference of a room. */
interface Inside extends MemberRow {
  readonly room: string;
}

export class Census {
  readonly #means: CensusMeans;
  /** Of the FreeSWITCH that was connected last. */
  #core: string | null = null;

  constructor(means: CensusMeans) {
    this.#means = means;
  }

  /** @throws when FreeSWITCH or the store do not tell what they have, or when another process takes up the calls meanwhile */
  async take(core: string, sink: Sink): Promise<void> {
    const { node, server, switchboard, log } = this.#means;
    if (this.#core !== null && this.#core !== core) {
      log.warn({ node }, "FreeSWITCH was started again: its calls are lost");
      switchboard.lost();
      server.conferences.lost();
    }
    this.#core = core;
    const rows = channelRows(await this.#ask(channels));
    const { calls, rooms } = await sink.survivors(node);
    this.#check();
    for (const { uuid, session_uuid } of server.channels.all) if (!rows.has(uuid)) switchboard.lostCall(session_uuid);
    for (const { room_id, playback } of rooms) {
      if (switchboard.has(room_id)) continue;
      server.conferences.open(room_id);
      await this.#ask(stopRoom(room_id, null));
      switchboard.adoptRoom(room_id, playback);
    }
    const inside = await this.#members(rows);
    server.conferences.forgetMembers();
    for (const channel of server.channels.all) {
      const row = rows.get(channel.uuid);
      if (row) await this.#settle(channel, row, inside.get(channel.uuid) ?? null);
    }
    for (const call of calls) {
      if (!switchboard.has(call.session_uuid)) await this.#survivor(call, rows, inside, sink);
    }
    for (const row of rows.values()) await this.#stranger(row);
    server.conferences.caughtUp();
  }

  /** Who is in which room: a channel alone does not tell whether it has left since. */
  async #members(rows: ReadonlyMap<string, ChannelRow>): Promise<ReadonlyMap<string, Inside>> {
    const begun = [...rows.values()].flatMap(({ room }) => room ?? []);
    const inside = new Map<string, Inside>();
    for (const room of new Set([...this.#means.server.conferences.rooms, ...begun])) {
      for (const row of memberRows(await this.#ask(members(room)))) inside.set(row.uuid, { ...row, room });
    }
    return inside;
  }

  async #survivor(
    call: Survivor,
    rows: ReadonlyMap<string, ChannelRow>,
    inside: ReadonlyMap<string, Inside>,
    sink: Sink,
  ): Promise<void> {
    const { server, log } = this.#means;
    const row = rows.get(server.channels.uuidOf(call.session_uuid));
    const facts = row ? await this.#facts(row.uuid) : null;
    if (row && facts) {
      await this.#adopt(call, row, inside.get(row.uuid) ?? null, facts);
      return;
    }
    const { name, q850, sip } = gatewayCauses.MEDIA_SERVER_LOST;
    log.info({ session_uuid: call.session_uuid }, "a call is not there any more");
    const answered = call.state === "answered" || call.state === "handed_back";
    const { session_uuid } = call;
    const end = {
      cause: name,
      q850_cause: q850,
      sip_status: answered ? null : sip,
      by: "gateway",
      lost: true,
    } as const;
    sink.emit({ session_uuid, type: "hangup", ...end });
    if (call.recording) {
      const { recording_id } = call.recording;
      sink.emit({ session_uuid, type: "recording.stopped", recording_id, failure: null });
    }
  }

  /** Begun by another process: what it played is not heard to its end, because its files go with that. */
  async #adopt(call: Survivor, row: ChannelRow, inside: Inside | null, facts: ChannelFacts): Promise<void> {
    const { server, switchboard, newLeg, log } = this.#means;
    const { state, room, recording, caller_id, did } = call;
    if (state !== "handed_back") {
      await this.#ask(breakOff(row.uuid, true));
      if (inside) await this.#ask(stopRoom(inside.room, inside.member));
    }
    const channel = server.add(row.uuid);
    // What the app was told of the call, it is told on.
    const leg = newLeg({ ...facts, caller_id, did }, state === "answered" || state === "handed_back");
    channel.room = room?.room_id ?? null;
    channel.muted = room?.muted ?? false;
    if (recording) server.recorder.adopted(channel, recording.recording_id);
    switchboard.adopt(call, leg);
    log.info({ session_uuid: call.session_uuid, state }, "a call was taken over");
    if (state !== "handed_back") await this.#settle(channel, row, inside);
  }

  /** What was missed of a call that this process has. */
  async #settle(channel: Channel, row: ChannelRow, found: Inside | null): Promise<void> {
    const { server, leg, log } = this.#means;
    const { session_uuid, uuid, room, muted } = channel;
    leg(uuid)?.cancelTimers();
    if (row.answered) leg(uuid)?.onAnswered();
    if (found) server.conferences.found(channel, found.room, found.member);
    else server.conferences.outside(channel);
    channel.deck.caughtUp();
    // Events do not come before this is done: what waits for one is not waited for here.
    const put = this.#misplaced(channel, found);
    put?.catch((err) =>
      log.warn({ session_uuid, room_id: room, muted, err }, "a call could not be put where it belongs"),
    );
  }

  /** Where it is to be, and as it is to be there; null when it is. */
  #misplaced(channel: Channel, found: Inside | null): Promise<void> | null {
    const { conferences } = this.#means.server;
    const { room, muted } = channel;
    if (room !== (found?.room ?? null)) {
      return room === null ? conferences.leave(channel) : conferences.join(channel, room, muted);
    }
    return found && found.muted !== muted ? conferences.mute(channel, muted) : null;
  }

  /** A call that nobody knows: it came while nobody listened. */
  async #stranger({ uuid, inbound, answered, parked }: ChannelRow): Promise<void> {
    const { server, offer } = this.#means;
    if (!inbound || answered || !parked || server.channels.find(uuid)) return;
    const facts = await this.#facts(uuid);
    if (facts) offer(facts);
  }

  async #facts(uuid: string): Promise<ChannelFacts | null> {
    const answer = await this.#ask(dump(uuid));
    // It has ended since.
    if (answer.startsWith("-ERR")) return null;
    const { log } = this.#means;
    try {
      return factsOf(FreeswitchEvent.parse(answer), log);
    } catch (err) {
      if (!(err instanceof FramingError)) throw err;
      log.error({ uuid, err }, "what FreeSWITCH tells of a channel cannot be read");
      return null;
    }
  }

  async #ask(command: Command): Promise<string> {
    const answer = await this.#means.link.request(command);
    this.#check();
    return answer;
  }

  /** @throws Refused when it is another process's to go on with this */
  #check(): void {
    if (!this.#means.reading()) throw new Refused("unreachable");
  }
}
