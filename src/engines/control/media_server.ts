/**
 * What call control asks of a media server, in the smallest pieces: one sound after the other, in and out of rooms, on and
 * off tape. All that is more than that (lists, digits, who is replaced by what, what is told and in which order) is done
 * once, in this folder, for every kind of media server alike.
 */

/** A WAV file as `wav.ts` heads it: 16 bit, mono, 8 kHz. It stays as it is while it plays. */
export interface SoundFile {
  /** Where it lies for this process, and for a media server that has the same folder. */
  readonly path: string;
  /** The same file by HTTP, for a media server that has not; not given where the gateway serves none. */
  readonly url?: string | undefined;
  readonly samples: number;
}

/** What can be played: a file, or nothing at all for a while. */
export type Sound = SoundFile | { readonly silence_ms: number };

/** What plays, or played when it was stopped, and where in its file it is. */
export interface Position {
  readonly play: number;
  readonly offset_ms: number;
}

/**
 * Commands resolve once the media server has taken them, `play` once it is about to sound. They reject with `Refused`:
 * `unreachable`, `late` (no word in time; what could still begin is taken back), `gone` (it does not know the call or the
 * room). Those of one target are given one after the other, but for a `stop` that takes back what was late.
 *
 * A `target` is the id of a call or of a room; no two of them are the same.
 */
export interface MediaServer {
  /**
   * Plays from `from_ms` on, in place of what plays. `paused`: it stays where it begins until it is resumed. `volume`: steps
   * of 3 dB, only for rooms.
   */
  play(target: string, play: number, sound: Sound, from_ms: number, paused: boolean, volume: number): Promise<void>;
  /** Pauses (true) or resumes what plays. Null when nothing plays. */
  pause(target: string, paused: boolean): Promise<Position | null>;
  /** Goes on elsewhere in what plays; it stays paused when it is. Beyond its end it has been played. Null when nothing plays. */
  seek(target: string, offset_ms: number): Promise<Position | null>;
  /** Sets the volume of what plays, and of nothing that is played later. Null when nothing plays. */
  volume(target: string, volume: number): Promise<Position | null>;
  /** Stops what plays, without a `played`. Null when nothing played. */
  stop(target: string): Promise<Position | null>;
  /** Makes a room known. A repeat changes nothing. */
  openRoom(room: string): Promise<void>;
  /** Forgets a room: its members hear it no longer, what it plays ends. Unknown rooms are ignored. */
  closeRoom(room: string): void;
  /** From now on the call hears all members of the room but itself, and they hear it unless it is muted. It leaves the room that it was in. */
  join(call: string, room: string, muted: boolean): Promise<void>;
  /** A call that is in no room is none the worse for it. */
  leave(call: string): Promise<void>;
  /** Of a call that is in no room nothing changes. */
  mute(call: string, muted: boolean): Promise<void>;
  /**
   * Records the call into a new WAV file at `path`, at most `max_ms` of it: left the caller, right what he hears.
   * `failure`: the file could not be opened, and there is no recording, else null.
   */
  record(
    call: string,
    recording_id: string,
    path: string,
    max_ms: number,
  ): Promise<{ readonly failure: string | null }>;
  /** The recording ends here; that its file is closed is told by `recorded`. Of a call that is not recorded nothing changes. */
  stopRecording(call: string): Promise<void>;
  /** Is it answering? */
  ping(): Promise<void>;
}

/** What a media server tells of that. */
export interface MediaListener {
  /**
   * The sound has been played to its end; `offset_ms` is its length. Told at once, so that a next file follows without a gap.
   * Not after a `stop` that resolved.
   */
  played(target: string, play: number, offset_ms: number): void;
  /** The file could not be read, or not as far as its `samples`. Nothing plays any more. */
  playFailed(target: string, play: number): void;
  /**
   * A recording's file is closed, its header final. Once for each `record` that resolved without a failure, also when the
   * call is over. `failure`: why it ends before its time, null when it does not.
   */
  recorded(recording_id: string, failure: string | null): void;
}
