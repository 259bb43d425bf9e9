/** One FreeSWITCH as a media server. */
import type { Log } from "../../log";
import type { MediaListener, MediaServer, Position, Sound } from "../control/media_server";
import { Refused } from "../engine";
import { type Channel, Channels } from "./channel";
import { breakOff, coreUuid, isRoom, playHeader } from "./commands";
import { Conferences } from "./conferences";
import { Deck } from "./deck";
import type { FreeswitchEvent } from "./event";
import type { Link } from "./link";
import { ChannelOutlet, endOf } from "./outlet";
import { Recorder } from "./recorder";
import { SoundNames } from "./sound_names";

export interface ServerOptions {
  readonly node: string;
  readonly link: Link;
  readonly listener: MediaListener;
  readonly log: Log;
}

const tagForm = /vg_op=([a-z0-9.]+)/;

export class FreeswitchServer implements MediaServer {
  readonly channels: Channels;
  readonly conferences: Conferences;
  readonly recorder: Recorder;
  readonly #link: Link;
  readonly #listener: MediaListener;
  readonly #log: Log;
  readonly #names: SoundNames;
  /** By the names that sounds have over there. New ones with each process, so that one of an earlier run is never meant. */
  readonly #decks = new Map<string, Deck>();
  readonly #run = Math.random().toString(36).slice(2);
  #tags = 0;

  constructor({ node, link, listener, log }: ServerOptions) {
    this.#link = link;
    this.#listener = listener;
    this.#log = log;
    this.#names = new SoundNames(log);
    const ping = () => this.ping();
    this.channels = new Channels(node);
    this.conferences = new Conferences({
      link,
      names: this.#names,
      log,
      ping,
      newDeck: (room) => this.#newDeck(room, null),
    });
    this.recorder = new Recorder({ link, listener, log, ping });
  }

  /** A call that this process has from now on. */
  add(uuid: string): Channel {
    const session_uuid = this.channels.sessionOf(uuid);
    const deck = this.#newDeck(session_uuid, uuid);
    const channel: Channel = { uuid, session_uuid, deck, inside: null, room: null, muted: false, recording: null };
    this.channels.add(channel);
    return channel;
  }

  /** The call is over, or no longer this process's. */
  remove(uuid: string): void {
    const channel = this.channels.find(uuid);
    if (!channel) return;
    if (channel.inside) this.conferences.deleted(uuid, channel.inside.room, null, true);
    channel.deck.abandon(false);
    this.channels.remove(uuid);
  }

  async play(
    target: string,
    play: number,
    sound: Sound,
    from_ms: number,
    paused: boolean,
    volume: number,
  ): Promise<void> {
    if (isRoom(target)) await this.conferences.settled(target);
    await this.#on(target, (deck) => deck.play(play, sound, from_ms, paused, volume));
  }

  pause(target: string, paused: boolean): Promise<Position | null> {
    return this.#on(target, (deck) => deck.pause(paused));
  }

  seek(target: string, offset_ms: number): Promise<Position | null> {
    return this.#on(target, (deck) => deck.seek(offset_ms));
  }

  volume(target: string, volume: number): Promise<Position | null> {
    return this.#on(target, (deck) => deck.volume(volume));
  }

  stop(target: string): Promise<Position | null> {
    return this.#on(target, (deck) => deck.stop());
  }

  /** FreeSWITCH makes the conference with the first who comes in: here it is only asked whether it is there. */
  async openRoom(room: string): Promise<void> {
    await this.ping();
    this.conferences.open(room);
  }

  closeRoom(room: string): void {
    for (const uuid of this.conferences.close(room)) {
      const channel = this.channels.find(uuid);
      if (!channel) continue;
      this.conferences
        .leave(channel)
        .catch((err) =>
          this.#log.warn({ room_id: room, err }, "a call could not be taken out of a room that was closed"),
        );
    }
  }

  async join(call: string, room: string, muted: boolean): Promise<void> {
    await this.conferences.join(this.#channel(call), room, muted);
  }

  async leave(call: string): Promise<void> {
    await this.conferences.leave(this.#channel(call));
  }

  async mute(call: string, muted: boolean): Promise<void> {
    await this.conferences.mute(this.#channel(call), muted);
  }

  async record(call: string, recording_id: string, path: string, max_ms: number): Promise<{ failure: string | null }> {
    const outcome = await this.recorder.record(this.#channel(call), recording_id, path, max_ms);
    if (outcome.failure !== null) this.#log.warn({ recording_id, failure: outcome.failure }, "no recording was begun");
    return outcome;
  }

  async stopRecording(call: string): Promise<void> {
    const channel = this.channels.session(call);
    await (channel ? this.recorder.stop(channel) : this.ping());
  }

  async ping(): Promise<void> {
    await this.#link.request(coreUuid);
  }

  /** All that is told of sounds, rooms and recordings. */
  onEvent(event: FreeswitchEvent): void {
    const channel = this.channels.find(event.channel);
    switch (event.name) {
      case "PLAYBACK_START":
        this.#begun(event.get(playHeader), event);
        return;
      case "PLAYBACK_STOP":
        this.#ended(event.get(playHeader), event);
        return;
      case "CHANNEL_EXECUTE_COMPLETE":
        // Of a file that could not be played there is nothing else.
        if (event.get("Application") === "playback") this.#link.met(`begun ${event.get("Application-UUID")}`, event);
        return;
      case "RECORD_START":
        this.#link.met(`recording ${event.get("Record-File-Path")}`, event);
        return;
      case "RECORD_STOP":
        if (channel) this.recorder.stopped(channel, event);
        return;
      case "CUSTOM":
        if (event.get("Event-Subclass") === "conference::maintenance") this.#conference(event, channel ?? null);
        return;
    }
  }

  /** What sounds and what is recorded ends, because its files go, or are this process's to finish. */
  async hush(): Promise<void> {
    const channels = this.channels.all;
    const decks = [...channels.map(({ deck }) => deck), ...this.conferences.decks];
    await Promise.allSettled([
      ...decks.map((deck) => deck.stop()),
      ...channels.map((channel) => this.recorder.finish(channel)),
    ]);
  }

  /** All of it is another process's from now on. */
  abandon(): void {
    for (const { uuid, recording } of this.channels.all) {
      if (recording?.timer) clearTimeout(recording.timer);
      this.remove(uuid);
    }
    this.conferences.abandon();
  }

  #newDeck(target: string, uuid: string | null): Deck {
    const outlet =
      uuid === null ? null : new ChannelOutlet({ link: this.#link, names: this.#names, log: this.#log }, uuid);
    const means = {
      target,
      listener: this.#listener,
      log: this.#log,
      ping: () => this.ping(),
      newTag: (deck: Deck) => {
        const tag = `${this.#run}.${++this.#tags}`;
        this.#decks.set(tag, deck);
        return tag;
      },
      forget: (tag: string) => {
        this.#decks.delete(tag);
      },
    };
    return new Deck(means, outlet);
  }

  /** @throws Refused("gone") */
  #channel(session_uuid: string): Channel {
    const channel = this.channels.session(session_uuid);
    if (!channel) throw new Refused("gone");
    return channel;
  }

  async #on<T>(target: string, act: (deck: Deck) => Promise<T>): Promise<T> {
    const deck = isRoom(target) ? this.conferences.deckOf(target) : this.channels.session(target)?.deck;
    if (!deck) throw new Refused("gone");
    return act(deck);
  }

  /** One of ours that nobody waits for any more was given up: it must not sound. */
  #begun(tag: string, event: FreeswitchEvent): void {
    if (this.#link.met(`begun ${tag}`, event) || !tag.startsWith(`${this.#run}.`)) return;
    const uuid = event.channel;
    this.#link
      .request(breakOff(uuid, false))
      .catch((err) =>
        this.#log.warn({ session_uuid: this.channels.sessionOf(uuid), err }, "a sound was not taken back"),
      );
  }

  #ended(tag: string, event: FreeswitchEvent): void {
    if (tag === "" || this.#link.met(`ended ${tag}`, event)) return;
    // The call ends with it: what played then is told by its hangup.
    if (event.get("Hangup-Cause") === "") this.#decks.get(tag)?.ended(tag, endOf(event));
  }

  #conference(event: FreeswitchEvent, channel: Channel | null): void {
    const room = event.get("Conference-Name");
    const action = event.get("Action");
    const member = event.number("Member-ID") ?? 0;
    switch (action) {
      case "add-member":
        this.conferences.added(event.channel, room, member, channel, event);
        return;
      case "del-member":
        this.conferences.deleted(event.channel, room, channel, event.get("Hangup-Cause") !== "");
        return;
      case "mute-member":
      case "unmute-member":
        this.#link.met(`${action} ${event.channel}`, event);
        return;
      case "play-file-done":
      case "play-file-member-done": {
        const tag = tagForm.exec(event.get("File"))?.[1] ?? "";
        if (!this.#link.met(`ended ${tag}`, event)) this.#decks.get(tag)?.ended(tag, { how: "done", offset_ms: null });
        return;
      }
    }
  }
}
