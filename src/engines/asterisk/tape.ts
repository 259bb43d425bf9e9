/**
 * A recording of one call. Asterisk records each direction by a snoop of its own, and what is whispered to the call by a
 * third; when all have ended they are joined into the one file that was asked for.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { Log } from "../../log";
import { wavHeader, wavHeaderBytes, wavRate } from "../../wav";
import { Refused } from "../engine";
import { type Ari, at, unlessGone } from "./ari";
import { joinTracks } from "./joining";
import type { OwnChannels, Snooping } from "./own_channels";

export interface TapeMeans {
  readonly ari: Ari;
  readonly own: OwnChannels;
  readonly app: string;
  /** By the name of what Asterisk records: whose it is. */
  readonly tapes: Map<string, Tape>;
  readonly timeoutMs: number;
  readonly log: Log;
}

export interface TapeOrder {
  readonly recording_id: string;
  /** The caller's channel. */
  readonly channel: string;
  readonly path: string;
  readonly max_ms: number;
  /** Its file is closed. Once, if it began. */
  ended(failure: string | null): void;
}

interface Track {
  readonly name: string;
  readonly side: "left" | "right";
  snoop: string | null;
  /** Epoch milliseconds by Asterisk's clock; null: it has not begun. */
  started_at: number | null;
  ended: boolean;
  /** Told when it begins or turns out not to. */
  begun: ((failure: string | null) => void) | null;
}

/** What is whispered goes onto one more track for each visit to a room: so many at most. */
const maxTracks = 64;
/** What the caller says, and what he hears. */
const mainTracks = 2;

const trackName = (app: string, recording_id: string, nth: number) => `${app}.${recording_id}.${nth}`;

/** Ends what another process has begun, and removes what there is of it. @throws Refused */
export async function endTape(ari: Ari, app: string, recording_id: string): Promise<void> {
  for (let nth = 0; nth < maxTracks; nth++) {
    const name = trackName(app, recording_id, nth);
    const there = await unlessGone(ari.request("POST", at`/recordings/live/${name}/stop`));
    if (!there && nth >= mainTracks) return;
    await unlessGone(ari.request("DELETE", at`/recordings/stored/${name}`));
  }
}

export class Tape {
  readonly #order: TapeOrder;
  readonly #means: TapeMeans;
  readonly #tracks: Track[] = [];
  #file: FileHandle | null = null;
  #failure: string | null = null;
  #stopping = false;
  #running = false;
  #told: Promise<void> | null = null;
  #tell: () => void = () => undefined;
  /** Resolves when its file is closed. */
  readonly closed = new Promise<void>((resolve) => {
    this.#tell = resolve;
  });

  constructor(order: TapeOrder, means: TapeMeans) {
    this.#order = order;
    this.#means = means;
  }

  /**
   * Resolves once it runs.
   * @returns why it cannot, else null
   * @throws Refused
   */
  async start(): Promise<string | null> {
    const { path } = this.#order;
    try {
      this.#file = await open(path, "wx");
      await this.#file.write(wavHeader(2, 0), 0, wavHeaderBytes, 0);
    } catch (err) {
      await this.#file?.close();
      return err instanceof Error && "code" in err ? String(err.code) : String(err);
    }
    const { channel } = this.#order;
    const begun = await Promise.allSettled([
      this.#record("left", channel, { spy: "in" }),
      this.#record("right", channel, { spy: "out" }),
    ]);
    const refused = begun.find((each) => each.status === "rejected");
    const failure = begun.find((each) => each.status === "fulfilled" && each.value !== null);
    if (refused || failure) {
      await this.#withdraw();
      if (refused?.status === "rejected") throw refused.reason;
      return failure?.status === "fulfilled" ? failure.value : null;
    }
    this.#running = true;
    // It may have ended by then, or was to.
    if (this.#tracks.some(({ ended }) => ended)) await this.stop();
    return null;
  }

  /** What this channel says is to be heard on the right as well. What cannot be recorded of it is missed, and logged. */
  async tap(whisper: string): Promise<void> {
    const { log } = this.#means;
    const { recording_id } = this.#order;
    if (!this.#running || this.#stopping) return;
    if (this.#tracks.length >= maxTracks) {
      log.warn({ recording_id }, "recording: too many tracks, what is played to this call is not on it");
      return;
    }
    try {
      const failure = await this.#record("right", whisper, { spy: "out" });
      if (failure !== null) log.warn({ recording_id, reason: failure }, "recording: what is played is not on it");
    } catch (err) {
      log.warn({ recording_id, err }, "recording: what is played is not on it");
    }
  }

  /** It ends here; that it has is told by `ended`. Rejects with `Refused` when Asterisk does not take it. */
  async stop(): Promise<void> {
    const { ari } = this.#means;
    this.#stopping = true;
    const stops = this.#tracks
      .filter(({ ended }) => !ended)
      .map(async (track) => {
        const there = await unlessGone(ari.request("POST", at`/recordings/live/${track.name}/stop`));
        // Its channel has ended, and its end was not heard of.
        if (!there) this.#end(track);
      });
    await Promise.all(stops);
    this.#finishIfOver();
  }

  onStarted(name: string, started_at: number): void {
    const track = this.#find(name);
    if (!track) return;
    track.started_at = started_at;
    track.begun?.(null);
  }

  /** @param failure null: it is whole, as far as it goes */
  onEnded(name: string, failure: string | null): void {
    const track = this.#find(name);
    if (!track) return;
    if (failure !== null && track.started_at !== null) this.#failure ??= failure;
    this.#end(track);
    track.begun?.(failure ?? "it ended at once");
    const isMain = this.#tracks.indexOf(track) < mainTracks;
    if (!this.#running || !isMain || this.#stopping) return;
    // The call is over, or it has its greatest length: the other direction ends with it.
    this.stop().catch((err: unknown) => this.#means.log.warn({ name, err }, "recording: its other half goes on"));
  }

  /** Events were lost: does Asterisk still record? @throws Refused */
  async verify(): Promise<void> {
    for (const track of this.#tracks) {
      const { ended, name } = track;
      if (!ended && !(await unlessGone(this.#means.ari.request("GET", at`/recordings/live/${name}`))))
        this.onEnded(name, null);
    }
  }

  /** The media server is gone, and what it had recorded with it. */
  lost(): void {
    this.#failure ??= "the media server is gone";
    for (const track of this.#tracks) this.#end(track);
    if (this.#running) this.#finishIfOver();
  }

  /** Somebody else goes on with it, or nobody: the file stays as it is. */
  async abandon(): Promise<void> {
    for (const { name } of this.#tracks) this.#means.tapes.delete(name);
    this.#told ??= Promise.resolve();
    await this.#file?.close();
    this.#tell();
  }

  /** @returns why not, null when it has begun. @throws Refused */
  async #record(side: Track["side"], of: string, snooping: Snooping): Promise<string | null> {
    const { ari, own, app, tapes, timeoutMs } = this.#means;
    const { recording_id, max_ms } = this.#order;
    const name = trackName(app, recording_id, this.#tracks.length);
    const track: Track = { name, side, snoop: null, started_at: null, ended: false, begun: null };
    this.#tracks.push(track);
    tapes.set(name, this);
    let timer: NodeJS.Timeout | undefined;
    try {
      track.snoop = await own.snoop(of, snooping);
      const begun = new Promise<string | null>((resolve, reject) => {
        track.begun = resolve;
        timer = setTimeout(() => reject(new Refused("late")), timeoutMs);
      });
      begun.catch(() => undefined);
      const maxDurationSeconds = Math.ceil(max_ms / 1000);
      const how = { name, format: "wav", maxDurationSeconds, ifExists: "overwrite" };
      await ari.request("POST", at`/channels/${track.snoop}/record`, how);
      return await begun;
    } catch (err) {
      this.#end(track);
      throw err;
    } finally {
      clearTimeout(timer);
      track.begun = null;
    }
  }

  #find(name: string): Track | undefined {
    return this.#tracks.find((track) => track.name === name);
  }

  #end(track: Track): void {
    track.ended = true;
    this.#means.tapes.delete(track.name);
    if (track.snoop !== null && this.#means.own.isKnown(track.snoop)) this.#means.own.drop(track.snoop);
    if (this.#running && this.#stopping) this.#finishIfOver();
  }

  #finishIfOver(): void {
    if (this.#tracks.every(({ ended }) => ended)) this.#told ??= this.#finish();
  }

  async #finish(): Promise<void> {
    const { log } = this.#means;
    const { recording_id, max_ms } = this.#order;
    const file = this.#file;
    try {
      if (file && this.#failure === null) await this.#join(file, (max_ms * wavRate) / 1000);
    } catch (err) {
      log.error({ recording_id, err }, "recording could not be joined");
      this.#failure ??= "its parts could not be joined";
    }
    try {
      await file?.close();
    } catch (err) {
      log.error({ recording_id, err }, "recording could not be closed");
      this.#failure ??= "its file could not be closed";
    }
    this.#discard();
    this.#order.ended(this.#failure);
    this.#tell();
  }

  async #join(file: FileHandle, maxFrames: number): Promise<void> {
    const { ari } = this.#means;
    const begun = this.#tracks.filter(({ started_at }) => started_at !== null);
    const first = Math.min(...begun.map(({ started_at }) => started_at ?? 0));
    const opened = await Promise.all(
      begun.map(async ({ name, side, started_at }) => {
        const delaySamples = (((started_at ?? first) - first) * wavRate) / 1000;
        return { side, delaySamples, bytes: await ari.file(at`/recordings/stored/${name}/file`) };
      }),
    );
    await joinTracks(file, opened, maxFrames);
  }

  /** It never began. */
  async #withdraw(): Promise<void> {
    this.#stopping = true;
    this.#told = Promise.resolve();
    for (const track of this.#tracks) this.#end(track);
    this.#discard();
    await this.#file?.close();
    this.#tell();
  }

  /** What Asterisk has stored of it is not needed any more. */
  #discard(): void {
    const { ari, log } = this.#means;
    for (const { name, started_at } of this.#tracks) {
      if (started_at === null) continue;
      unlessGone(ari.request("DELETE", at`/recordings/stored/${name}`)).catch((err: unknown) =>
        log.warn({ name, err }, "a recording stays with the media server"),
      );
    }
  }
}
