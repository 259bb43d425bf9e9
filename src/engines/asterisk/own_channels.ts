/**
 * Channels that the gateway makes for itself: snoops, which whisper to a call or listen to it, and the two halves of a
 * Local channel, by which a room is played to. They are told from callers by their ids.
 */
import { randomUUID } from "node:crypto";
import type { Log } from "../../log";
import { Refused } from "../engine";
import { type Ari, at, unlessGone } from "./ari";

export interface OwnChannelsOptions {
  readonly ari: Ari;
  readonly app: string;
  /** Until one that was made can be used. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/** What a snoop does: it listens to what the caller says (`in`) or hears (`out`), or it speaks to him. */
export type Snooping = { readonly spy: "in" | "out" } | { readonly whisper: "out" };

interface Waiting {
  resolve(): void;
  reject(err: Refused): void;
}

/** Where the outer half of a room's player is, in the dialplan: it leads into the application. */
export const playerEndpoint = "Local/player@voicegate/n";

export class OwnChannels {
  readonly #options: OwnChannelsOptions;
  readonly #prefix: string;
  readonly #known = new Set<string>();
  readonly #drops = new Set<Promise<unknown>>();
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: OwnChannelsOptions) {
    this.#options = options;
    this.#prefix = `${options.app}.own.`;
  }

  /** Is it one of a gateway's, whichever made it? */
  isOwn(id: string): boolean {
    return id.startsWith(this.#prefix);
  }

  /** Did this process make it? */
  isKnown(id: string): boolean {
    return this.#known.has(id);
  }

  /**
   * Resolves once it can be played to, or recorded.
   * @throws Refused
   */
  async snoop(channel: string, snooping: Snooping): Promise<string> {
    const { ari, app } = this.#options;
    const id = this.#newId();
    await this.#made([id], () =>
      ari.request("POST", at`/channels/${channel}/snoop/${id}`, { ...snooping, app, appArgs: "own" }),
    );
    return id;
  }

  /**
   * The two halves of a player, both of them in the application: what is played to `outside` is what `inside` says.
   * @throws Refused
   */
  async player(): Promise<{ readonly inside: string; readonly outside: string }> {
    const { ari, app } = this.#options;
    const [inside, outside] = [this.#newId(), this.#newId()];
    const halves = { channelId: inside, otherChannelId: outside };
    // By other formats what is played is only half as loud.
    const body = { endpoint: playerEndpoint, app, appArgs: "own", formats: "slin", ...halves };
    await this.#made([outside], () => ari.request("POST", "/channels", body));
    try {
      // Only by the answer of the one does the other enter the application.
      await this.#made([inside], () => ari.request("POST", at`/channels/${outside}/answer`));
    } catch (err) {
      this.drop(outside);
      throw err;
    }
    return { inside, outside };
  }

  /** Ends one; it may have ended already. */
  drop(id: string): void {
    const { ari, log } = this.#options;
    this.#known.delete(id);
    const drop = unlessGone(ari.request("DELETE", at`/channels/${id}`))
      .catch((err: unknown) => log.warn({ id, err }, "own channel not ended"))
      .finally(() => this.#drops.delete(drop));
    this.#drops.add(drop);
  }

  /** Resolves when those that were to end have ended. */
  async dropped(): Promise<void> {
    await Promise.all(this.#drops);
  }

  /** It has entered the application. */
  entered(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting) waiting.resolve();
    // Nobody waits for it any more: it was late.
    else if (!this.#known.has(id)) this.drop(id);
  }

  /** It has left the application, which for one of these is its end. */
  ended(id: string): void {
    this.#known.delete(id);
    this.#waiting.get(id)?.reject(new Refused("gone"));
  }

  /** Whatever was made is gone, or somebody else's. */
  forget(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new Refused("unreachable"));
    this.#known.clear();
  }

  #newId(): string {
    return this.#prefix + randomUUID();
  }

  async #made(ids: readonly string[], make: () => Promise<unknown>): Promise<void> {
    const { timeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    // Before it is made: that it has entered may be told before the answer comes.
    const entered = ids.map((id) => new Promise<void>((resolve, reject) => this.#waiting.set(id, { resolve, reject })));
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Refused("late")), timeoutMs);
    });
    try {
      await Promise.race([Promise.all([make(), ...entered]), late]);
      for (const id of ids) this.#known.add(id);
    } catch (err) {
      for (const id of ids) this.drop(id);
      throw err;
    } finally {
      clearTimeout(timer);
      for (const id of ids) this.#waiting.delete(id);
    }
  }
}
