/**
 * Rooms as conferences. FreeSWITCH has a conference only while somebody is in it; a room is here as long as it is open, and
 * what plays to it goes on by the clock while nobody hears it.
 */
import { Refused } from "../engine";
import type { Channel } from "./channel";
import { enter, mute, park } from "./commands";
import type { Deck } from "./deck";
import type { FreeswitchEvent } from "./event";
import { ChannelOutlet, ConferenceOutlet, checkChannel, type OutletMeans } from "./outlet";

interface Conference {
  deck: Deck;
  /** Who is in it, by channel: the number that it has there. Numbers are given again to others once they are free. */
  readonly members: Map<string, number>;
  /** Does what plays to it come out there, or go by the clock? */
  heard: boolean;
  /** Who is on his way out, and should hear nothing that begins now. */
  readonly leaving: Set<Promise<void>>;
}

export interface ConferencesMeans extends OutletMeans {
  newDeck(room: string): Deck;
  ping(): Promise<void>;
}

export class Conferences {
  readonly #means: ConferencesMeans;
  readonly #open = new Map<string, Conference>();

  constructor(means: ConferencesMeans) {
    this.#means = means;
  }

  open(room: string): void {
    if (this.#open.has(room)) return;
    this.#open.set(room, { deck: this.#means.newDeck(room), members: new Map(), heard: false, leaving: new Set() });
  }

  /** @returns the channels of its members, who are to be taken out */
  close(room: string): readonly string[] {
    const conference = this.#open.get(room);
    if (!conference) return [];
    this.#open.delete(room);
    conference.deck.abandon(true);
    return [...conference.members.keys()];
  }

  deckOf(room: string): Deck | undefined {
    return this.#open.get(room)?.deck;
  }

  get rooms(): readonly string[] {
    return [...this.#open.keys()];
  }

  get decks(): readonly Deck[] {
    return [...this.#open.values()].map(({ deck }) => deck);
  }

  /** @throws Refused */
  async join(channel: Channel, room: string, muted: boolean): Promise<void> {
    const { link, ping } = this.#means;
    if (!this.#open.has(room)) throw new Refused("gone");
    if (channel.room === room && channel.inside?.room === room) return ping();
    if (channel.inside) await this.leave(channel);
    const { uuid } = channel;
    channel.room = room;
    channel.muted = muted;
    try {
      await channel.deck.relocate(async () => {
        await link.confirmed(uuid, `joined ${uuid}`, enter(uuid, room, muted), checkChannel);
        const member = channel.inside?.room === room ? channel.inside.member : null;
        return member === null ? new ChannelOutlet(this.#means, uuid) : new ConferenceOutlet(this.#means, room, member);
      });
    } catch (err) {
      // It may come to pass all the same: then it is taken out as one that is not to be there.
      channel.room = null;
      throw err;
    }
  }

  /**
   * Back into the park. By the call, never by its number in the conference, which somebody else may have by now.
   * @throws Refused
   */
  async leave(channel: Channel): Promise<void> {
    channel.room = null;
    if (!channel.inside) return this.#means.ping();
    const leaving = this.#open.get(channel.inside.room)?.leaving;
    const out = this.#toPark(channel);
    leaving?.add(out);
    try {
      await out;
    } finally {
      leaving?.delete(out);
    }
  }

  /** Resolves when nobody is on his way out of the room. */
  async settled(room: string): Promise<void> {
    await Promise.allSettled(this.#open.get(room)?.leaving ?? []);
  }

  /** In its turn: a call that is on its way in is muted there. @throws Refused */
  mute(channel: Channel, muted: boolean): Promise<void> {
    const { link, ping } = this.#means;
    return channel.deck.next(async () => {
      const { uuid, inside } = channel;
      if (!inside) return ping();
      const key = `${muted ? "mute" : "unmute"}-member ${uuid}`;
      await link.confirmed(uuid, key, mute(inside.room, inside.member, muted), (reply) => {
        // It has left just now.
        if (!reply.startsWith("+OK")) throw new Refused("gone");
      });
      channel.muted = muted;
    });
  }

  /** @param channel null: one that is none of ours */
  added(uuid: string, room: string, member: number, channel: Channel | null, event: FreeswitchEvent): void {
    const { link } = this.#means;
    const conference = this.#open.get(room);
    if (conference) {
      conference.members.set(uuid, member);
      if (!conference.heard) this.#hear(room, conference, true);
    }
    if (!channel) return;
    channel.inside = { room, member };
    link.met(`joined ${uuid}`, event);
    this.#settle(channel, room);
  }

  /** @param hungUp it left because its call has ended */
  deleted(uuid: string, room: string, channel: Channel | null, hungUp: boolean): void {
    const { log } = this.#means;
    const conference = this.#open.get(room);
    if (conference?.members.delete(uuid) && conference.members.size === 0) this.#hear(room, conference, false);
    if (channel?.inside?.room !== room) return;
    channel.inside = null;
    if (channel.room === room && !hungUp)
      log.warn({ session_uuid: channel.session_uuid, room_id: room }, "somebody took a call out of its room");
  }

  /** A call that is in a conference, by what FreeSWITCH has. */
  found(channel: Channel, room: string, member: number): void {
    const known = channel.inside?.room === room && channel.inside.member === member;
    channel.inside = { room, member };
    if (!known) channel.deck.moved(new ConferenceOutlet(this.#means, room, member));
    this.#open.get(room)?.members.set(channel.uuid, member);
  }

  /** A call that is in none, by what FreeSWITCH has. */
  outside(channel: Channel): void {
    if (channel.inside) channel.deck.moved(new ChannelOutlet(this.#means, channel.uuid));
    channel.inside = null;
  }

  /** All who are in a room are known: what plays to it plays to them, or by the clock. */
  caughtUp(): void {
    for (const [room, conference] of this.#open) {
      const heard = conference.members.size > 0;
      if (heard === conference.heard) conference.deck.caughtUp();
      else this.#hear(room, conference, heard);
    }
  }

  /** Who is where is not known any more. */
  forgetMembers(): void {
    for (const { members } of this.#open.values()) members.clear();
  }

  /** FreeSWITCH was started again: the rooms are empty, and what played to them was told of as stopped. */
  lost(): void {
    for (const [room, conference] of this.#open) {
      conference.deck.abandon(false);
      conference.deck = this.#means.newDeck(room);
      conference.members.clear();
      conference.heard = false;
    }
  }

  /** Another process has them from now on. */
  abandon(): void {
    for (const { deck } of this.#open.values()) deck.abandon(false);
    this.#open.clear();
  }

  async #toPark(channel: Channel): Promise<void> {
    const { link } = this.#means;
    const { uuid, deck } = channel;
    await deck.relocate(async () => {
      if (channel.inside) await link.confirmed(uuid, `parked ${uuid}`, park(uuid), checkChannel);
      return new ChannelOutlet(this.#means, uuid);
    });
  }

  #hear(room: string, conference: Conference, heard: boolean): void {
    conference.heard = heard;
    conference.deck.moved(heard ? new ConferenceOutlet(this.#means, room, null) : null);
  }

  /** One that is not to be there: its join was late, or the room has been closed meanwhile. */
  #settle(channel: Channel, room: string): void {
    const { session_uuid } = channel;
    if (channel.room === room && this.#open.has(room)) return;
    this.leave(channel).catch((err) =>
      this.#means.log.warn({ session_uuid, room_id: room, err }, "a call could not be taken out of a room"),
    );
  }
}
