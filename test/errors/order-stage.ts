/** Makes true for one request what its errors need: the call or the room that it is about, with their past. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { JsonObject } from "../../src/conformance/gateway/ground/client";
import { type Condition, type Facts, readiness, slotOf, subjectOf } from "../../src/conformance/gateway/requests/facts";
import type { Way } from "../../src/conformance/gateway/requests/pairs";
import {
  exampleRequest,
  type HttpRequest,
  type Names,
  nobody,
  policyOf,
  type RoutedId,
  withHeaders,
} from "../../src/conformance/gateway/requests/requests";
import type { ClientResponse } from "../api/client";
import { opened } from "../api/place";
import { behind } from "./behind";
import { away, type Conduct, elsewhere } from "./failing";
import { playedFile, spoiledFile } from "./media-file";
import type { Ground, LackingEngine } from "./order-ground";
import { Past, uid, withMore } from "./order-past";
import { done, type Place, ready } from "./ready";

/** What else takes a uid, and changes nothing that a guard looks at. */
const another = (id: RoutedId): RoutedId => {
  if (subjectOf(id) === "room") return id === "stopRoom" ? "pauseRoom" : "stopRoom";
  return id === "stopPlayback" ? "pausePlayback" : "stopPlayback";
};

/** What opens the window of an operation's group, where the operation itself would not do. */
const openers: { readonly [O in RoutedId]?: RoutedId } = {
  startRecording: "playAndGetDigits",
  stopRecording: "stopPlayback",
  joinRoom: "leaveRoom",
  leaveRoom: "joinRoom",
  pauseRoom: "stopRoom",
  setRoomVolume: "stopRoom",
  stopRoom: "pauseRoom",
};

const isConduct = (word: string): word is Conduct => ["unreachable", "late", "broken"].includes(word);

const webhookUrls: Readonly<Record<string, string>> = {
  http: "http://example.com/",
  private: "https://127.0.0.1/",
  "private http": "http://127.0.0.1/",
};

/** Words of a condition. */
const states: readonly Condition["state"][] = ["ringing", "answered", "handed_back"];
const memberships: readonly Condition["member"][] = ["no", "this", "other"];
const answers: readonly Condition["muted"][] = ["yes", "no"];

let numbered = 0;
/** A client that nobody has counted yet. */
const newAddress = () => {
  numbered += 1;
  return `10.0.${numbered >> 8}.${numbered & 255}`;
};

export class Stage {
  readonly #id: RoutedId;
  readonly #ground: Ground;
  readonly #facts: Facts;
  readonly #address = newAddress();
  /** What the request is about. */
  readonly #names: { uuid?: string; room_id?: string; recording_id?: string; file_name?: string } = {};
  #past: Past | null = null;

  private constructor(id: RoutedId, facts: Facts, ground: Ground) {
    this.#id = id;
    this.#facts = facts;
    this.#ground = ground;
  }

  static async set(id: RoutedId, facts: Facts, ground: Ground): Promise<Stage> {
    const stage = new Stage(id, facts, ground);
    await stage.#build();
    return stage;
  }

  /** Sends a request that is wrong in this way. */
  async send({ facts, changes }: Way): Promise<ClientResponse> {
    const sound = await this.#request(facts);
    const request = changes.reduce((changed, { violate }) => violate(changed), sound);
    const { client, store } = this.#ground;
    const conduct = facts.media?.[0] ?? "";
    if (isConduct(conduct)) this.#ground.conduct = conduct;
    try {
      return await store.while(this.#failing(facts), () => client.request(request));
    } finally {
      this.#ground.conduct = "willing";
    }
  }

  /** Nothing is left open. */
  async strike(): Promise<void> {
    await this.#past?.end();
  }

  #is(slot: string, value: string): boolean {
    return this.#facts[slot]?.[0] === value;
  }

  /** Is there to be one that the request is about, whoever asks? */
  #there(subject: "session" | "room"): boolean {
    const value = this.#facts[slotOf(this.#id, subject)]?.[0];
    return value === "own" || (value === "foreign" && policyOf(this.#id)[subject] === "path");
  }

  #failing(facts: Facts) {
    switch (facts.store?.[0]) {
      case "admission away":
        return { admit: away };
      case "clock away":
        return { now: away };
      case "behind away":
        return behind(this.#ground.store)[this.#id] ?? {};
      default:
        return {};
    }
  }

  /** The past in its order: what is pending was admitted before the rest happened, and who handed back hears nothing. */
  async #build(): Promise<void> {
    if (this.#is("quota", "used")) await this.#useQuota();
    if (this.#is("header Range", "beyond") && this.#is("recording", "own")) await this.#record();
    if (this.#is("recording", "unreadable")) await this.#spoilRecording();
    if (this.#is("file", "own")) await this.#play(playedFile);
    if (this.#is("file", "unreadable")) await this.#play(spoiledFile);
    if (this.#there("room")) await this.#openRoom();
    if (this.#there("session")) await this.#call();
    const { command } = policyOf(this.#id);
    if (command === null || !this.#there(subjectOf(this.#id))) return;
    this.#past = new Past(this.#ground, this.#engine, this.#names);
    await this.#live(this.#past);
  }

  async #live(past: Past): Promise<void> {
    const isCall = subjectOf(this.#id) === "session";
    const history = this.#facts.history?.[0];
    if (history === "pending") {
      if (isCall) await past.be(readiness(this.#id));
      await past.leavePending(this.#id);
    }
    if (history === "another pending") await past.leavePending(another(this.#id));
    if (history === "used") await past.take(another(this.#id), { command_uid: uid });
    const hot = this.#is("cooldown", "open");
    if (hot && history !== "pending") {
      if (isCall) await past.be(this.#beforeOpener());
      await past.take(this.#opener());
    }
    if (isCall) await past.be(this.#wanted());
    if (!hot) this.#ground.cool();
  }

  get #engine(): LackingEngine {
    const lacking = policyOf(this.#id).command !== null && this.#is("node", "lacking");
    return this.#ground.engine(this.#id, lacking ? "lacking" : "able");
  }

  async #openRoom(): Promise<void> {
    if (this.#is("media", "elsewhere")) {
      const { store } = this.#ground;
      const room = opened("test", elsewhere.nodes.join(), await store.real.now());
      await store.real.createRoom(room);
      this.#names.room_id = room.room_id;
      return;
    }
    const session_uuid = await this.#engine.call("100");
    const name = `stage-${numbered}`;
    this.#names.room_id = await this.#ground.open(this.#ground.gateway.app, { name, session_uuid });
  }

  async #call(): Promise<void> {
    this.#names.uuid = await this.#engine.call("100");
    if (subjectOf(this.#id) === "session") this.#names.room_id = await this.#ground.room(this.#engine);
  }

  async #useQuota(): Promise<void> {
    const id = policyOf(this.#id).auth === "admin" ? "listApps" : "listSessions";
    const request = withHeaders(exampleRequest(id, this.#ground.gateway), { "X-Forwarded-For": this.#address });
    const { status } = await this.#ground.client.request(request);
    if (status !== 200) throw new Error(`the quota of this address was used up before: ${status}`);
  }

  /** A recording that is whole. */
  async #record(): Promise<void> {
    const { gateway, store } = this.#ground;
    this.#names.recording_id = await this.#ground.once("recording", async () => {
      const place = { gateway, store, call: () => gateway.call() };
      const names = await ready("stopRecording", place);
      await done("stopRecording", place, names);
      const { data } = await gateway.receiver.event("recording.completed", names.uuid);
      return String(data.recording_id);
    });
  }

  /** A recording that cannot be read: what stands where a file should be. */
  async #spoilRecording(): Promise<void> {
    const recording_id = randomUUID();
    const file = path.join(this.#ground.gateway.recordings ?? "", "test", `${recording_id}.json`);
    await mkdir(file, { recursive: true });
    this.#names.recording_id = recording_id;
  }

  /** A media file that can be fetched, or cannot be read. */
  async #play(make: (place: Place) => Promise<string>): Promise<void> {
    const { gateway, store } = this.#ground;
    const file = await this.#ground.once(make.name, () => make({ gateway, store, call: () => gateway.call() }));
    this.#names.file_name = path.basename(file);
  }

  #wanted(): Condition {
    const usual = readiness(this.#id);
    const { state, member, muted, recorded } = this.#facts;
    const wanted = {
      state: states.find((value) => value === state?.[0]) ?? usual.state,
      member: memberships.find((value) => value === member?.[0]) ?? usual.member,
      muted: answers.find((value) => value === muted?.[0]) ?? usual.muted,
      recorded: answers.find((value) => value === recorded?.[0]) ?? usual.recorded,
    };
    return wanted.member === "no" ? { ...wanted, muted: "no" } : wanted;
  }

  #opener(): RoutedId {
    if (this.#id === "mute" || this.#id === "unmute") return this.#wanted().muted === "yes" ? "mute" : "unmute";
    return openers[this.#id] ?? this.#id;
  }

  /** How it must be for what opens the window. */
  #beforeOpener(): Condition {
    const wanted = this.#wanted();
    const state = wanted.state === "handed_back" ? "answered" : wanted.state;
    switch (this.#opener()) {
      case "mute":
        return { ...wanted, state, member: "this", muted: "no" };
      case "unmute":
        return { ...wanted, state, member: "this", muted: "yes" };
      case "leaveRoom":
        return { ...wanted, state, member: "other" };
      case "joinRoom":
        return { ...wanted, state, member: "this" };
      default:
        return { ...wanted, state };
    }
  }

  /** To which nothing can be objected but what the facts say. */
  async #request(facts: Facts): Promise<HttpRequest> {
    const { gateway } = this.#ground;
    const is = (slot: string, value: string) => facts[slot]?.[0] === value;
    const { node } = this.#engine;
    const at = (id: string) => id.replace(/^[^-]+/, node);
    const names: Partial<Names> = {
      ...this.#names,
      ...(is("session", "nobody") && { uuid: at(nobody.uuid) }),
      ...((is("room", "nobody") || is("body room_id", "nobody")) && { room_id: at(nobody.room_id) }),
      ...(is("body room_id", "foreign") && { room_id: await this.#ground.foreignRoom() }),
      ...(is("body room_id", "far") && { room_id: await this.#ground.room(this.#ground.far) }),
      ...(is("recording", "nobody") && { recording_id: nobody.recording_id }),
      ...(is("file", "nobody") && { file_name: nobody.file_name }),
      ...(this.#id !== "putApp" && !is("path", "nobody") && { app_id: "test" }),
    };
    let request = exampleRequest(this.#id, gateway, names);
    if (is("session", "foreign") || is("room", "foreign")) request = withHeaders(request, await this.#ground.other());
    if (is("rooms", "full")) request = withHeaders(request, await this.#ground.crowd());
    if (is("streams", "full")) request = withHeaders(request, await this.#ground.readers());
    if (is("quota", "used")) request = withHeaders(request, { "X-Forwarded-For": this.#address });
    if (is("header Range", "beyond")) request = withHeaders(request, { Range: "bytes=9999999999-" });
    return withMore(request, await this.#fields(facts));
  }

  /** Of the body, as far as the example is not good enough. */
  async #fields(facts: Facts): Promise<JsonObject> {
    const value = (slot: string) => facts[slot]?.[0];
    if (this.#id === "createRoom") return this.#fieldsOfRoom(facts);
    if (this.#id === "createSandboxCall") return { did: value("body did") === "nobody" ? "999" : "100" };
    if (this.#id !== "putApp") return value("uid") === "given" ? { command_uid: uid } : {};
    if (value("body dids") === "taken") await this.#ground.app("holder", { dids: ["4711"] });
    const webhook_url = webhookUrls[value("body webhook_url") ?? ""];
    return { ...(value("body dids") === "taken" && { dids: ["4711"] }), ...(webhook_url && { webhook_url }) };
  }

  async #fieldsOfRoom(facts: Facts): Promise<JsonObject> {
    const [session] = facts["body session_uuid"] ?? [];
    const taken = facts["body name"]?.[0] === "taken";
    const name = !taken ? `new-${numbered}` : facts.rooms?.[0] === "full" ? "room-0" : "taken";
    if (name === "taken") await this.#ground.once(name, () => this.#ground.open(this.#ground.gateway.app, { name }));
    const uuids = { nobody: nobody.uuid, foreign: session === "foreign" ? await this.#ground.foreignCall() : "" };
    return { name, session_uuid: session === "nobody" || session === "foreign" ? uuids[session] : undefined };
  }
}
