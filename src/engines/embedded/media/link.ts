/** The main process's end of the media child: what it can be told to do, and what it tells. */
import type { MediaServer, Position, Sound } from "../../control/media_server";
import type { Remote, Report } from "./messages";
import { type MediaOptions, MediaProcess } from "./process";

export type { Remote } from "./messages";
export type { MediaOptions } from "./process";

/** What the media child tells. Calls that were closed are not mentioned again, but for what was on its way and for their recordings. */
export interface MediaHandler {
  /** A digit by RFC 4733, once, when it ended. */
  onDigit(call: string, digit: string, duration_ms: number): void;
  /**
   * The sound's last sample was sent; `offset_ms` is its length. Told at once, so that a next file follows without a gap.
   * `target`: the call or room that it was played to.
   */
  onPlayed(target: string, play: number, offset_ms: number): void;
  /** The file could not be read, or not as far as its `samples`. Nothing plays any more. */
  onPlayFailed(target: string, play: number): void;
  /**
   * A recording's file is closed, its header final. Once for each `record` that resolved without a failure, also when the
   * call was closed; not when the child is lost. `failure`: why it ends before its time, null when it does not.
   */
  onRecorded(call: string, recording_id: string, failure: string | null): void;
  /** No RTP for `rtpTimeoutMs` while audio was expected. Told once per silence. */
  onTimeout(call: string): void;
  /** A simulated caller's press or tone has been sent completely. */
  onPressed(call: string, step: number): void;
  /** The child died: all its calls are without media, its rooms are gone, recordings end where they are. A new child is on its way; it knows none of them. */
  onLost(): void;
}

/**
 * Commands resolve once the child has taken them. They reject with `Refused`: `unreachable` (no child, or no port left),
 * `late` (no word in `ackTimeoutMs`; what could still begin is taken back), `gone` (the child does not know the call or the
 * room: closed, or lost with an earlier child). Order is kept per link.
 *
 * A `target` is the name of a call or of a room; no two of them may have the same.
 */
export class MediaLink implements MediaServer {
  private readonly process: MediaProcess;

  constructor(
    private readonly options: MediaOptions,
    private readonly handler: MediaHandler,
  ) {
    this.process = new MediaProcess(options, {
      told: (report) => this.told(report),
      lost: () => handler.onLost(),
    });
  }

  /** Forks the child. Rejects when it does not come up (`unreachable`, `late`); once it did, a lost child is replaced by itself. */
  start(): Promise<void> {
    return this.process.start();
  }

  /** Is there a child that takes commands? */
  connected(): boolean {
    return this.process.connected();
  }

  pid(): number | null {
    return this.process.pid();
  }

  /** Makes a call known and gives it a local RTP port, bound before this resolves; 0 for a simulated one. */
  async open(call: string, kind: "socket" | "simulated"): Promise<{ port: number }> {
    const { port = 0 } = await this.process.request({ do: "open", call, kind }, { do: "close", call });
    return { port };
  }

  /** First, and again with each change. Audio flows from the first one on; to a simulated caller it does from `open` on, and this changes nothing. */
  async remote(call: string, remote: Remote): Promise<void> {
    await this.process.request({ do: "remote", call, remote });
  }

  /**
   * Plays from `from_ms` on, in place of what plays. To a call it waits for the first `remote`, goes on unheard while on
   * hold, and is mixed over its room. `paused`: it stays where it begins until it is resumed. `volume`: steps of 3 dB.
   */
  async play(target: string, play: number, sound: Sound, from_ms: number, paused = false, volume = 0): Promise<void> {
    const undo = { do: "stop", target, only: play } as const;
    await this.process.request({ do: "play", target, play, sound, from_ms, paused, volume }, undo);
  }

  /** Pauses (true) or resumes what plays: no sample is lost or heard twice. Null when nothing plays. */
  async pause(target: string, paused: boolean): Promise<Position | null> {
    return position(await this.process.request({ do: "pause", target, paused }));
  }

  /** Goes on elsewhere in what plays; it stays paused when it is. Beyond its end it has been played. Null when nothing plays. */
  async seek(target: string, offset_ms: number): Promise<Position | null> {
    return position(await this.process.request({ do: "seek", target, offset_ms }));
  }

  /** Sets the volume of what plays, and of nothing that is played later. Null when nothing plays. */
  async volume(target: string, volume: number): Promise<Position | null> {
    return position(await this.process.request({ do: "volume", target, volume }));
  }

  /** Stops what plays. Null when nothing played. */
  async stop(target: string): Promise<Position | null> {
    return position(await this.process.request({ do: "stop", target, only: null }));
  }

  /** Makes a room known. A repeat changes nothing. */
  async openRoom(room: string): Promise<void> {
    await this.process.request({ do: "open_room", room }, { do: "close_room", room, unused: true });
  }

  /** Forgets a room: its members hear it no longer, what it plays ends. Unknown rooms are ignored. */
  closeRoom(room: string): void {
    this.process.tell({ do: "close_room", room, unused: false });
  }

  /** From now on the call hears all members of the room but itself, and they hear it unless it is muted. It leaves the room that it was in. */
  async join(call: string, room: string, muted: boolean): Promise<void> {
    await this.process.request({ do: "join", call, room, muted }, { do: "leave", call, only: room });
  }

  /** A call that is in no room is none the worse for it. */
  async leave(call: string): Promise<void> {
    await this.process.request({ do: "leave", call, only: null });
  }

  /** Of a call that is in no room nothing changes. */
  async mute(call: string, muted: boolean): Promise<void> {
    await this.process.request({ do: "mute", call, muted });
  }

  /**
   * Records the call into a new WAV file at `path`, at most `max_ms` of it: left the caller, right what he hears. It ends the
   * recording that runs. `failure`: the file could not be opened, and there is no recording, else null.
   */
  async record(call: string, recording_id: string, path: string, max_ms: number): Promise<{ failure: string | null }> {
    const { failure = null } = await this.process.request(
      { do: "record", call, recording_id, path, max_ms },
      { do: "stop_recording", call, discard: recording_id },
    );
    if (failure !== null) this.options.log.warn({ call, recording_id, reason: failure }, "recording could not begin");
    return { failure };
  }

  /** The recording ends here; that its file is closed is told by `onRecorded`. Of a call that is not recorded nothing changes. */
  async stopRecording(call: string): Promise<void> {
    await this.process.request({ do: "stop_recording", call, discard: null });
  }

  /** Is the child answering? */
  async ping(): Promise<void> {
    await this.process.request({ do: "ping" });
  }

  /** Forgets a call and frees its port; it leaves its room, its recording ends. Unknown calls are ignored. */
  close(call: string): void {
    this.process.tell({ do: "close", call });
  }

  /** A simulated caller keys digits (0-9 * # A-D), `gap_ms` between them. Steps of one call are sent one after the other. */
  press(call: string, step: number, digits: string, gap_ms: number): void {
    this.process.tell({ do: "press", call, step, digits, gap_ms });
  }

  /** A simulated caller sends a sine. */
  tone(call: string, step: number, hz: number, ms: number): void {
    this.process.tell({ do: "tone", call, step, hz, ms });
  }

  /** Ends all recordings (the last `onRecorded` comes before this resolves), the child, and everything pending. Idempotent. */
  shutdown(): Promise<void> {
    return this.process.shutdown();
  }

  private told(report: Exclude<Report, { tell: "taken" | "refused" }>): void {
    const { handler } = this;
    const { log } = this.options;
    switch (report.tell) {
      case "digit":
        handler.onDigit(report.call, report.digit, report.duration_ms);
        break;
      case "played":
        handler.onPlayed(report.target, report.play, report.offset_ms);
        break;
      case "play_failed":
        log.warn({ target: report.target, reason: report.reason }, "file could not be played");
        handler.onPlayFailed(report.target, report.play);
        break;
      case "recorded":
        if (report.failure !== null) {
          const { call, recording_id, failure } = report;
          log.warn({ call, recording_id, reason: failure }, "recording could not be written");
        }
        handler.onRecorded(report.call, report.recording_id, report.failure);
        break;
      case "timeout":
        handler.onTimeout(report.call);
        break;
      case "pressed":
        handler.onPressed(report.call, report.step);
        break;
      case "trouble":
        log.warn({ call: report.call, reason: report.reason }, "RTP socket");
        break;
      case "closed":
        log.debug({ call: report.call, ...report.counters }, "media closed");
        break;
    }
  }
}

function position({ position = null }: { readonly position?: Position | null }): Position | null {
  return position;
}
