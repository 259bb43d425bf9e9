/** A room: a mixing bridge, and the player by which it is played to as loud as wanted. */
import { type Ari, AriRefused, at, unlessGone } from "./ari";
import type { LineMeans } from "./line";
import type { OwnChannels } from "./own_channels";
import type { Outlet } from "./run";
import { Speaker } from "./speaker";

interface Player {
  /** In the bridge. */
  readonly inside: string;
  /** What is played to. */
  readonly outside: string;
}

/** A player that has nothing to play stays for so long: the next file of a list, or the next play, needs no new one. */
const idleMs = 5000;
/** One step of volume. */
const stepDb = 3;

export class Conference implements Outlet {
  readonly speaker: Speaker;
  readonly #ari: Ari;
  readonly #own: OwnChannels;
  #player: Player | null = null;
  /** Steps that are wanted, and those that the player was told. */
  #volume = 0;
  #told = 0;
  #leaving: NodeJS.Timeout | undefined;

  constructor(
    readonly id: string,
    means: LineMeans,
  ) {
    this.#ari = means.ari;
    this.#own = means.own;
    this.speaker = new Speaker(id, this, means);
  }

  /** @throws Refused */
  async open(): Promise<void> {
    try {
      // Among bridges only one for video is always mixed. Any other hands the sound of two on as it comes, and as long as
      // the one is silent, nothing can be whispered to the other.
      await this.#ari.request("POST", at`/bridges/${this.id}`, { type: "mixing,video_sfu" });
    } catch (err) {
      // It is there already.
      if (!(err instanceof AriRefused) || err.status !== 409) throw err;
    }
  }

  async channel(): Promise<string> {
    clearTimeout(this.#leaving);
    const known = this.#player;
    if (known && this.#own.isKnown(known.inside) && this.#own.isKnown(known.outside)) return known.outside;
    const player = await this.#own.player();
    try {
      this.#told = 0;
      await this.#turnTo(player, this.#volume);
      await this.#ari.request("POST", at`/bridges/${this.id}/addChannel`, { channel: player.inside });
    } catch (err) {
      this.#own.drop(player.outside);
      throw err;
    }
    this.#player = player;
    return player.outside;
  }

  silence(): Promise<void> {
    return this.check();
  }

  async volume(steps: number): Promise<void> {
    if (this.#player) await this.#turnTo(this.#player, steps);
    else await this.check();
    this.#volume = steps;
  }

  async check(): Promise<void> {
    await this.#ari.request("GET", at`/bridges/${this.id}`);
  }

  idle(): void {
    clearTimeout(this.#leaving);
    this.#leaving = setTimeout(() => this.#unplay(), idleMs);
    this.#leaving.unref();
  }

  /** @throws Refused */
  async destroy(): Promise<void> {
    this.dispose();
    await unlessGone(this.#ari.request("DELETE", at`/bridges/${this.id}`));
  }

  /** Its bridge stays. */
  dispose(): void {
    this.speaker.dispose();
    this.#unplay();
  }

  async #turnTo({ inside }: Player, steps: number): Promise<void> {
    if (steps === this.#told) return;
    const ratio = 10 ** ((stepDb * Math.abs(steps)) / 20);
    // A factor of the dialplan function VOLUME; a negative one is a divisor, and 0 leaves all as it is.
    const value = steps === 0 ? "0" : (steps < 0 ? -ratio : ratio).toFixed(4);
    await this.#ari.request("POST", at`/channels/${inside}/variable`, { variable: "VOLUME(RX)", value });
    this.#told = steps;
  }

  #unplay(): void {
    clearTimeout(this.#leaving);
    const player = this.#player;
    this.#player = null;
    // The one half ends with the other.
    if (player && this.#own.isKnown(player.outside)) this.#own.drop(player.outside);
  }
}
