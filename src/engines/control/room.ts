/** One conference room: which calls are in it, and what plays to all of them. */
import type { Body } from "../../contract";
import type { Log } from "../../log";
import type { MediaFiles } from "../../media/files";
import type { CommandFailure, EngineRoomEvent, OperationRef, Outcome, RoomStopReason, Unheard } from "../engine";
import type { MediaServer } from "./media_server";
import { type Place, Playback, type PlaybackMeans } from "./playback";
import { Turns } from "./turns";

/** What an engine tells of one room. */
type RoomEvent = EngineRoomEvent extends infer E ? (E extends unknown ? Omit<E, "room_id"> : never) : never;

/** What the engine lends to its rooms. */
export interface RoomSurroundings {
  readonly server: MediaServer;
  readonly media: MediaFiles;
  readonly log: Log;
  emit(event: EngineRoomEvent): void;
}

/** A call that is in a room. */
export interface Member {
  /** The room is closed: the media server has taken the call out already. */
  removed(): void;
}

interface Play {
  readonly operation: OperationRef;
  readonly playback: Playback;
}

const nothingPlays: Outcome = { failure: "No active playback" };
/** Of the files of a loop, which may be as short as they like, not each begin is told: the next one after this time is. */
const advancedEveryMs = 1000;

export class Room {
  readonly room_id: string;
  readonly #around: RoomSurroundings;
  readonly #means: PlaybackMeans;
  readonly #turns = new Turns();
  readonly #members = new Set<Member>();
  /** Calls that are on their way in. */
  readonly #joins = new Set<Promise<unknown>>();
  #play: Play | null = null;
  /** The media server is asked to know the room, or knows it. */
  #known: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(room_id: string, around: RoomSurroundings) {
    this.room_id = room_id;
    this.#around = around;
    const { server, log, media } = around;
    let plays = 0;
    this.#means = { server, log, media: media.share(), target: room_id, nextPlay: () => ++plays };
  }

  get closed(): boolean {
    return this.#closing !== null;
  }

  /**
   * Resolves when the media server knows the room; one that has taken the place of another is told of it here.
   * @throws Refused
   */
  known(): Promise<void> {
    const asked = this.#known ?? this.#around.server.openRoom(this.room_id);
    this.#known = asked;
    asked.catch(() => {
      if (this.#known === asked) this.#known = null;
    });
    return asked;
  }

  /** A call is on its way in: `close` waits until it was told what came of it. */
  async joining<T>(work: Promise<T>): Promise<T> {
    this.#joins.add(work);
    try {
      return await work;
    } finally {
      this.#joins.delete(work);
    }
  }

  add(member: Member): void {
    this.#members.add(member);
  }

  remove(member: Member): void {
    this.#members.delete(member);
  }

  /** @throws Refused when the media server does not take it; what played before is over all the same */
  play({ urls, loop, volume }: Body<"playRoom">, operation: OperationRef): Promise<void> {
    const { command_uid, operation_id } = operation;
    return this.#turns.defer(operation_id, async (wanted) => {
      await this.#silence("replaced");
      await this.known();
      this.#turns.check();
      if (wanted()) this.#begin(urls, loop, volume, { command_uid, operation_id });
    });
  }

  pause(paused: boolean): Promise<Outcome> {
    return this.#control((playback) => playback.pause(paused));
  }

  setVolume(volume: number): Promise<Outcome> {
    return this.#control((playback) => playback.setVolume(volume));
  }

  stop(): Promise<Outcome> {
    return this.#turns.take(async () => {
      const plays = this.#play !== null;
      await this.#silence("stopped");
      this.#turns.check();
      return plays ? undefined : nothingPlays;
    });
  }

  played(play: number, offset_ms: number): void {
    this.#play?.playback.played(play, offset_ms);
  }

  playFailed(play: number): void {
    this.#play?.playback.unreadable(play);
  }

  cancel(operation_id: string): void {
    this.#turns.withdraw(operation_id);
    const play = this.#play;
    if (play?.operation.operation_id !== operation_id) return;
    this.#play = null;
    play.playback.halt();
    if (play.playback.started) this.#tellStopped(play, "stopped");
  }

  /** The media server is lost, and all calls with it: the room lives on, empty and silent. */
  lost(): void {
    this.#known = null;
    const play = this.#play;
    this.#play = null;
    if (play === null) return;
    play.playback.abandon();
    if (play.playback.started) this.#tellStopped(play, "stopped");
    else this.#tellFailed(play.operation, "Media server unavailable");
  }

  /** In place of `known`: the media server has it. What played by the store is silent by now. */
  adopted(playback: Unheard | null): void {
    this.#known = Promise.resolve();
    if (playback) this.#emit({ type: "play.stopped", ...playback, reason: "stopped" });
  }

  /** Another process has it from now on: nothing more is told here. */
  abandon(): void {
    this.#turns.end("unreachable");
    this.#play?.playback.abandon();
    this.#play = null;
    this.#members.clear();
  }

  /** Its playback ends, its members are removed, joins under way fail. Resolves once all of that was told. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const { server, log } = this.#around;
    const { room_id } = this;
    this.#turns.end();
    await this.#turns.idle();
    if (this.#play !== null) {
      await this.#silence("destroyed").catch((err) =>
        log.warn({ room_id, err }, "stop of a playback was not confirmed"),
      );
    }
    // Before its members are told: what they do next must find them outside.
    server.closeRoom(room_id);
    for (const member of this.#members) member.removed();
    this.#members.clear();
    await Promise.allSettled(this.#joins);
  }

  #begin(urls: readonly string[], loop: boolean, volume: number, operation: OperationRef): void {
    const { command_uid, operation_id } = operation;
    let told = 0;
    const playback = new Playback(
      this.#means,
      { what: { urls }, loop, volume },
      {
        opening: () => undefined,
        started: (index) => {
          told = performance.now();
          this.#emit({ type: "play.started", operation_id, command_uid, urls, index, loop, volume });
        },
        advanced: () => {
          const now = performance.now();
          if (loop && now - told < advancedEveryMs) return;
          told = now;
          this.#tellMoved(operation, playback.place());
        },
        moved: (place) => this.#tellMoved(operation, place),
        missing: (url, reason) => this.#emit({ type: "play.file_not_found", command_uid, url, reason }),
        ended: (failure) => {
          this.#play = null;
          if (playback.started) this.#tellStopped(play, failure === null ? "completed" : "stopped");
          else this.#tellFailed(operation, failure ?? "No file could be played");
        },
      },
    );
    const play: Play = { operation, playback };
    this.#play = play;
    playback.start();
  }

  /** For a playback that sounds, not while its files are fetched. */
  #control(act: (playback: Playback) => Promise<boolean>): Promise<Outcome> {
    return this.#turns.take(async () => {
      const play = this.#play?.playback.started ? this.#play : null;
      const done = play !== null && (await act(play.playback));
      if (play === null) await this.#around.server.ping();
      this.#turns.check();
      return done ? undefined : nothingPlays;
    });
  }

  /**
   * Ends what plays, and asks the media server in any case.
   * @throws Refused when it does not answer; what played is over all the same
   */
  async #silence(reason: RoomStopReason): Promise<void> {
    const play = this.#play;
    try {
      if (play) await play.playback.stop();
      else await this.#around.server.ping();
    } finally {
      // Only now: the media server has said where it stopped. A cancel, or its own end, may have come meanwhile.
      if (play && this.#play === play) {
        this.#play = null;
        if (play.playback.started) this.#tellStopped(play, reason);
        else this.#tellFailed(play.operation, reason === "destroyed" ? "Room ended" : "Stopped before it began");
      }
    }
  }

  #tellMoved({ command_uid }: OperationRef, place: Place): void {
    this.#emit({ type: "play.moved", command_uid, ...place });
  }

  #tellStopped({ operation, playback }: Play, reason: RoomStopReason): void {
    this.#emit({ type: "play.stopped", command_uid: operation.command_uid, ...playback.position(), reason });
  }

  #tellFailed({ operation_id }: OperationRef, error: CommandFailure): void {
    this.#emit({ type: "failed", operation_id, error });
  }

  #emit(event: RoomEvent): void {
    this.#around.emit({ room_id: this.room_id, ...event });
  }
}
