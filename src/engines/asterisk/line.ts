/** A call as the media side sees it: its channel, the room that it is in, and the channel by which it is whispered to there. */
import { type Ari, AriRefused, at, unlessGone } from "./ari";
import type { OwnChannels } from "./own_channels";
import type { Outlet } from "./run";
import { Speaker, type SpeakerMeans } from "./speaker";
import type { Tape } from "./tape";

/** Whoever whispers stays for so long after he has said all: what waits for the caller then is still to be heard, and more may follow. */
const idleMs = 1000;

export interface LineMeans extends SpeakerMeans {
  readonly own: OwnChannels;
}

export class Line implements Outlet {
  readonly speaker: Speaker;
  readonly #ari: Ari;
  readonly #own: OwnChannels;
  /** What records it. */
  tape: Tape | null = null;
  /** The room that it is in. */
  #room: string | null;
  /** Speaks to it while it is in a room. */
  #whisper: string | null = null;
  #leaving: NodeJS.Timeout | undefined;

  /**
   * @param call its id for call control
   * @param channel its id for Asterisk
   * @param room the one that it is in already
   */
  constructor(
    readonly call: string,
    readonly id: string,
    room: string | null,
    means: LineMeans,
  ) {
    this.#ari = means.ari;
    this.#own = means.own;
    this.#room = room;
    this.speaker = new Speaker(call, this, means);
  }

  get room(): string | null {
    return this.#room;
  }

  get whisper(): string | null {
    return this.#whisper;
  }

  /** In a room the bridge speaks to its channel, and nobody else can but by whispering. */
  async channel(): Promise<string> {
    if (this.#room === null) return this.id;
    clearTimeout(this.#leaving);
    if (this.#whisper === null || !this.#own.isKnown(this.#whisper)) {
      this.#whisper = await this.#own.snoop(this.id, { whisper: "out" });
      // What is whispered is not to be heard where a call is listened to.
      await this.tape?.tap(this.#whisper);
    }
    return this.#whisper;
  }

  async silence(on: boolean): Promise<void> {
    if (this.#room === null) await this.#ari.request(on ? "POST" : "DELETE", at`/channels/${this.id}/silence`);
    else await this.check();
  }

  async volume(): Promise<void> {
    // Only rooms have one.
  }

  async check(): Promise<void> {
    await this.#ari.request("GET", at`/channels/${this.id}`);
  }

  idle(): void {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.#unwhisper(), idleMs);
    this.#leaving.unref();
  }

  /** @throws Refused */
  join(room: string, muted: boolean): Promise<void> {
    return this.speaker.around(async () => {
      await this.#takeOut();
      // Before it is in: nobody is to hear a word of one that is muted.
      await this.#mute(muted);
      this.#room = room;
      try {
        const body = { channel: this.id, inhibitConnectedLineUpdates: true };
        await this.#ari.request("POST", at`/bridges/${room}/addChannel`, body);
      } catch (err) {
        // When it was late, it may get in all the same.
        await this.#takeOut();
        throw err;
      }
    });
  }

  /** @throws Refused */
  async leave(): Promise<void> {
    if (this.#room === null) await this.check();
    else await this.speaker.around(() => this.#takeOut());
  }

  /** @throws Refused */
  async mute(muted: boolean): Promise<void> {
    if (this.#room === null) await this.check();
    else await this.#mute(muted);
  }

  /** The call is over: what was made for it goes with its channel. */
  dispose(): void {
    this.speaker.dispose();
    this.#unwhisper();
  }

  async #takeOut(): Promise<void> {
    const room = this.#room;
    if (room === null) return;
    this.#unwhisper();
    try {
      await unlessGone(this.#ari.request("POST", at`/bridges/${room}/removeChannel`, { channel: this.id }));
    } catch (err) {
      // So it is said of a channel that is not there.
      if (!(err instanceof AriRefused) || err.status !== 400) throw err;
    }
    this.#room = null;
    await this.#mute(false);
  }

  async #mute(muted: boolean): Promise<void> {
    await this.#ari.request(muted ? "POST" : "DELETE", at`/channels/${this.id}/mute?direction=in`);
  }

  #unwhisper(): void {
    clearTimeout(this.#leaving);
    const whisper = this.#whisper;
    this.#whisper = null;
    if (whisper !== null && this.#own.isKnown(whisper)) this.#own.drop(whisper);
  }
}
