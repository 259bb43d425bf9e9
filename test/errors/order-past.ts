/** What happened to a call or a room before a request comes for it: by commands, and by what its media server tells. */
import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../../src/conformance/gateway/ground/client";
import type { Condition } from "../../src/conformance/gateway/requests/facts";
import {
  exampleRequest,
  type HttpRequest,
  type Names,
  nobody,
  type RoutedId,
  withBody,
} from "../../src/conformance/gateway/requests/requests";
import type { EngineEvent } from "../../src/engines/engine";
import type { ClientResponse } from "../api/client";
import type { Ground, LackingEngine } from "./order-ground";

/** Of the command whose uid is used again. */
export const uid = "again";

/** What was told is committed before this many requests are answered. */
const most_asked = 100;

/** What happens to the call that is spoken of. */
type Told = EngineEvent extends infer E ? (E extends EngineEvent ? Omit<E, "session_uuid"> : never) : never;

/** With these fields in its body; undefined takes one away. */
export function withMore(request: HttpRequest, fields: JsonObject): HttpRequest {
  if (Object.keys(fields).length === 0) return request;
  return withBody(request, { ...JSON.parse(String(request.body)), ...fields });
}

export class Past {
  readonly #ground: Ground;
  readonly #engine: LackingEngine;
  readonly #names: Partial<Names>;
  /** Commands that no media server has answered. */
  readonly #pending: Promise<ClientResponse>[] = [];
  #now: Condition = { state: "ringing", member: "no", muted: "no", recorded: "no" };

  /** @param names of the call or room on this media server */
  constructor(ground: Ground, engine: LackingEngine, names: Partial<Names>) {
    this.#ground = ground;
    this.#engine = engine;
    this.#names = names;
  }

  /** Nothing is left open. */
  async end(): Promise<void> {
    this.#engine.release();
    await Promise.all(this.#pending);
  }

  /** Has happen to the call what makes it so, and waits until everybody can see it. */
  async be(wanted: Condition): Promise<void> {
    const { uuid: session_uuid = "" } = this.#names;
    const tell = (event: Told) => this.#engine.tell({ session_uuid, ...event });
    const { state, member, recorded } = this.#now;
    if (state === "ringing" && wanted.state === "answered") tell({ type: "answered", operation_id: null });
    if (wanted.member !== "no" && wanted.member !== member) await this.#join(wanted);
    if (wanted.member === "no" && member !== "no")
      tell({ type: "room.left", operation_id: null, room_id: await this.#roomOf(member), reason: "orphan" });
    if (wanted.recorded !== recorded) {
      const named = { command_uid: "recording", operation_id: "", recording_id: nobody.recording_id };
      if (wanted.recorded === "yes") tell({ type: "recording.started", ...named });
      else tell({ type: "recording.stopped", recording_id: nobody.recording_id, failure: null });
    }
    if (wanted.state === "handed_back" && state !== "handed_back") tell({ type: "handed_back" });
    this.#now = wanted;
    await this.#seen();
  }

  async #join({ member, muted }: Condition): Promise<void> {
    const room_id = await this.#roomOf(member);
    await this.take("joinRoom", { room_id, muted: muted === "yes" });
  }

  #roomOf(member: Condition["member"]): Promise<string> {
    return this.#ground.room(this.#engine, member === "other" ? "other" : "room");
  }

  /** Until what was told is so for those who ask. */
  async #seen(): Promise<void> {
    const { state, member, muted, recorded } = this.#now;
    const room_id = member === "no" ? null : await this.#roomOf(member);
    const request = exampleRequest("getSession", this.#ground.gateway, this.#names);
    const wanted = { state, room_id, muted: muted === "yes", recorded: recorded === "yes" };
    for (let asked = 0; asked < most_asked; asked += 1) {
      const { status, body } = await this.#ground.client.request(request);
      if (status !== 200 || !body) throw new Error(`the call is not there: ${status}`);
      const { state, room_id, muted, recording } = body;
      if (isDeepStrictEqual({ state, room_id, muted, recorded: recording !== null }, wanted)) return;
    }
    throw new Error(`what happened to the call is not seen: ${JSON.stringify(wanted)}`);
  }

  /** Sends a command that is taken. The window of its group runs from then on. */
  async take(id: RoutedId, more: JsonObject = {}): Promise<void> {
    this.#ground.cool();
    const { status, text, body } = await this.#ground.client.request(this.#example(id, more));
    if (status !== 202) throw new Error(`${id}: ${status} ${text}`);
    if (id !== "mute" && id !== "unmute") return;
    const muted = id === "mute";
    const room_id = await this.#roomOf(this.#now.member);
    const { uuid: session_uuid = "" } = this.#names;
    this.#engine.tell({ session_uuid, type: "room.muted", operation_id: String(body?.operation_id), room_id, muted });
    await this.be({ ...this.#now, muted: muted ? "yes" : "no" });
  }

  /** Sends a command with the {@link uid}, which the media server has not taken yet when this resolves. */
  async leavePending(id: RoutedId): Promise<void> {
    this.#ground.cool();
    const engine = this.#engine;
    engine.conduct = "silent";
    const asked = engine.asked();
    const answered = this.#ground.client.request(this.#example(id, { command_uid: uid }));
    this.#pending.push(answered);
    const refused = answered.then(({ text }) => Promise.reject(new Error(`${id} is not pending: ${text}`)));
    await Promise.race([asked, refused]);
    refused.catch(() => undefined);
    engine.conduct = "willing";
  }

  #example(id: RoutedId, more: JsonObject): HttpRequest {
    return withMore(exampleRequest(id, this.#ground.gateway, this.#names), more);
  }
}
