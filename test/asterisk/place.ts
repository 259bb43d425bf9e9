/** An engine at a real Asterisk with everything around it, as small as it goes: no store, no API. */
import { setTimeout as delay } from "node:timers/promises";
import { AsteriskEngine, type AsteriskOptions } from "../../src/engines/asterisk/asterisk";
import type { Survivors } from "../../src/engines/engine";
import { newRoomId } from "../../src/ids";
import { MediaFiles } from "../../src/media/files";
import { FileServer } from "../engine/files";
import { silent } from "../engine/place";
import { Recorder } from "../engine/recorder";
import { SipCaller } from "../engine/sip-caller";
import { run } from "../engine/suite";
import { level, samples } from "../media-child/peer";
import type { AsteriskServer } from "./server";

export const node = "ast";

/** A call that was answered. */
export async function answeredCall(place: AsteriskPlace): Promise<SipCaller> {
  const caller = await place.caller();
  await run(place, "answer", caller.session_uuid, {});
  await place.recorder.event(caller.session_uuid, "answered");
  await caller.reached;
  return caller;
}

/** What the store would have of these calls. */
export function survivors(recorder: Recorder, about: Partial<Survivors["calls"][number]> = {}): Survivors["calls"] {
  return recorder.offers.map(({ session_uuid, caller_id, did }) => {
    const known = { session_uuid, caller_id, did, state: "answered" as const };
    return { ...known, playback: null, collecting: null, room: null, recording: null, ...about };
  });
}

/** Commands are taken, by what is known of calls and rooms by then. */
export async function ready({ engine }: AsteriskPlace): Promise<void> {
  const room_id = newRoomId(node);
  await until(() =>
    engine.openRoom(room_id).then(
      () => true,
      () => false,
    ),
  );
  await engine.closeRoom(room_id);
}

export const frameMs = 20;
/** dBFS of a tone that is there. */
export const loud = -20;

/** How long there was a tone in what a caller has heard since his packet of this number. */
export const toneMs = ({ peer }: SipCaller, from: number) =>
  peer.heard.slice(from).filter((packet) => packet.payload === 0 && level(samples([packet])) > loud).length * frameMs;

/** Looks again and again until it is so: for what nobody tells. */
export async function until(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await delay(10);
}

/** A gateway that remembers which of its calls have not ended. */
class Ledger extends Recorder {
  override async survivors(): Promise<Survivors> {
    const { calls, rooms } = this.before;
    const known = new Set(calls.map(({ session_uuid }) => session_uuid));
    const own = survivors(this).filter(({ session_uuid }) => {
      return !known.has(session_uuid) && !this.types(session_uuid).includes("hangup");
    });
    return { calls: [...calls, ...own], rooms };
  }
}

export class AsteriskPlace {
  readonly recorder: Recorder = new Ledger();
  readonly files = new FileServer();
  readonly media = new MediaFiles({ allowLocalhost: true, log: silent });
  readonly callers: SipCaller[] = [];
  readonly engine: AsteriskEngine;

  private constructor(
    readonly server: AsteriskServer,
    options: Partial<AsteriskOptions>,
  ) {
    const { url, user, password } = server;
    const limits = { commandTimeoutMs: 2000, recordingMaxMs: 60_000 };
    this.engine = new AsteriskEngine({
      node,
      url,
      user,
      password,
      ...limits,
      media: this.media,
      log: silent,
      ...options,
    });
  }

  /** Reads the events of this server, or not. */
  static async open(
    server: AsteriskServer,
    options: Partial<AsteriskOptions> & {
      readonly reads?: boolean;
      readonly prepare?: (recorder: Recorder) => void;
    } = {},
  ): Promise<AsteriskPlace> {
    const { reads = true, prepare, ...rest } = options;
    const place = new AsteriskPlace(server, rest);
    prepare?.(place.recorder);
    await place.files.listen();
    await place.media.start();
    place.engine.reads(reads);
    await place.engine.start(place.recorder);
    return place;
  }

  /** Somebody calls, and it rings. */
  async caller(number?: string): Promise<SipCaller> {
    const caller = await SipCaller.at(this.server.sipPort, this.recorder, number, { paced: true });
    this.callers.push(caller);
    await caller.ring();
    return caller;
  }

  /** Ends the calls that are left, before all the rest. */
  async close(): Promise<void> {
    for (const { session_uuid } of this.callers) this.engine.end(session_uuid, "SERVER_SHUTDOWN");
    for (const caller of this.callers) await caller.settled();
    await this.leave();
    for (const caller of this.callers) await caller.close();
  }

  /** One whose call this place cannot see to its end. */
  async discard(caller: SipCaller): Promise<void> {
    this.callers.splice(this.callers.indexOf(caller), 1);
    caller.peer.close();
    await caller.phone.client.close();
  }

  /** The calls go on. */
  async leave(): Promise<void> {
    await this.engine.close();
    await this.media.close();
    await this.files.close();
  }
}
