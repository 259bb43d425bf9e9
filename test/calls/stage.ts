/** Where a story is played: a gateway with one app, a web server with sound files, and what an app and an admin can do. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach } from "@jest/globals";
import type { Body } from "../../src/contract";
import { Client, type ClientResponse } from "../api/client";
import { FileServer } from "../engine/files";
import { TestGateway, type TestOptions } from "../gateway";
import type { Received } from "../receiver";
import { Baresip } from "./baresip";
import { told } from "./story";

/** By the name that a command has in its `command.result`. */
interface Bodies {
  readonly answer: Body<"answer">;
  readonly hangup: Body<"hangup">;
  readonly disconnect: Body<"disconnect">;
  readonly "playback/start": Body<"startPlayback">;
  readonly "playback/stop": Body<"stopPlayback">;
  readonly "playback/pause": Body<"pausePlayback">;
  readonly "playback/resume": Body<"resumePlayback">;
  readonly "playback/restart": Body<"restartPlayback">;
  readonly "playback/seek": Body<"seekPlayback">;
  readonly "playback/silence": Body<"playSilence">;
  readonly play_and_get_digits: Body<"playAndGetDigits">;
  readonly "record/start": Body<"startRecording">;
  readonly "record/stop": Body<"stopRecording">;
  readonly "conference/join": Body<"joinRoom">;
  readonly "conference/leave": Body<"leaveRoom">;
  readonly "conference/mute": Body<"mute">;
  readonly "conference/unmute": Body<"unmute">;
  readonly "room/play": Body<"playRoom">;
  readonly "room/pause": Body<"pauseRoom">;
  readonly "room/volume": Body<"setRoomVolume">;
  readonly "room/stop": Body<"stopRoom">;
}
export type CommandName = keyof Bodies;
export type CommandBody<C extends CommandName> = Partial<Bodies[C]>;
export type Script = Body<"createSandboxCall">["script"];

export class Stage {
  /** Errors in the log that the story is about; any other fails the test. */
  readonly expected: string[] = [];
  readonly #phones: Baresip[] = [];
  #closing: Promise<void> | null = null;

  private constructor(
    readonly gateway: TestGateway,
    readonly files: FileServer,
  ) {}

  static async open(options: TestOptions = {}): Promise<Stage> {
    const files = new FileServer();
    await files.listen();
    try {
      return new Stage(await TestGateway.start(options), files);
    } catch (error) {
      await files.close();
      throw error;
    }
  }

  /**
   * Idempotent.
   * @throws what the gateway did wrong: a webhook against the contract, an error in its log
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const phone of this.#phones) await phone.close();
    try {
      await this.gateway.close();
    } finally {
      await this.files.close();
    }
    const lines = this.gateway.log.map((text): { level: number; msg: string } => JSON.parse(text));
    const errors = lines.filter(({ level, msg }) => level >= 50 && !this.expected.includes(msg));
    if (errors.length > 0) throw new Error(`errors in the log: ${JSON.stringify(errors)}`);
  }

  get receiver(): TestGateway["receiver"] {
    return this.gateway.receiver;
  }

  get sipPort(): number {
    return this.gateway.gateway.embedded?.sipPort ?? 0;
  }

  /** Of the process that sends and receives RTP. */
  get mediaPid(): number {
    const pid = this.gateway.gateway.embedded?.mediaPid;
    if (!pid) throw new Error("there is no media process");
    return pid;
  }

  /** A phone that has dialled. @param parameters of the SIP URI, such as `;transport=tcp` */
  async dialled(number = "100", parameters = ""): Promise<Baresip> {
    const phone = await Baresip.start(`phone${this.#phones.length + 1}`);
    this.#phones.push(phone);
    await phone.dial(`sip:${number}@127.0.0.1:${this.sipPort}${parameters}`);
    return phone;
  }

  /** A phone that hears it ring. */
  async ringing(parameters = ""): Promise<{ phone: Baresip; session_uuid: string }> {
    const phone = await this.dialled("100", parameters);
    const { source: session_uuid } = await this.receiver.until(() =>
      this.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === phone.name),
    );
    await phone.event("CALL_RINGING");
    return { phone, session_uuid };
  }

  /** A phone whose call was answered. */
  async talking(): Promise<{ phone: Baresip; session_uuid: string }> {
    const { phone, session_uuid } = await this.ringing();
    await this.done(session_uuid, "answer", { command_uid: "take" });
    await phone.event("CALL_ESTABLISHED");
    return { phone, session_uuid };
  }

  admin(method: string, path: string, body?: object): Promise<ClientResponse> {
    return this.gateway.client.request({ method, path, headers: this.gateway.admin, ...(body && { body }) });
  }

  /**
   * A command of the app, whatever is answered. `inside`: by a media server that the test made fail.
   * @param id of the session, or of the room that a `room/…` is for
   */
  command<C extends CommandName>(
    id: string,
    name: C,
    body: CommandBody<C> = {},
    inside = false,
  ): Promise<ClientResponse> {
    const client = inside ? new Client(this.gateway.url, { inside }) : this.gateway.client;
    const path = name.startsWith("room/")
      ? `/api/v1/conferences/${id}/${name.slice("room/".length)}`
      : `/api/v1/sessions/${id}/commands/${name}`;
    return client.request({ method: "POST", path, headers: this.gateway.app, body });
  }

  /**
   * A command that is taken, once its cooldown is over.
   * @returns its operation_id
   */
  async taken<C extends CommandName>(id: string, name: C, body: CommandBody<C> = {}): Promise<string> {
    const answer = await this.command(id, name, body);
    if (answer.status === 202) return String(answer.body?.operation_id);
    const { retry_after_ms } = { retry_after_ms: null, ...Object(answer.body?.detail) };
    if (answer.status !== 429 || retry_after_ms === null) throw new Error(`${name}: ${answer.status} ${answer.text}`);
    await delay(retry_after_ms);
    return this.taken(id, name, body);
  }

  /** A command that is taken, and what became of it. */
  async done<C extends CommandName>(
    id: string,
    name: C,
    body: CommandBody<C> = {},
  ): Promise<Received<"command.result">> {
    return this.receiver.result(await this.taken(id, name, body));
  }

  /** A simulated caller; it rings once this resolves. */
  sandbox(script: Script = [], did = "100"): Promise<string> {
    return this.gateway.call({ did, caller_id: "alice", script });
  }

  /** A simulated caller whose call was answered. */
  async answered(script: Script = []): Promise<string> {
    const session_uuid = await this.sandbox(script);
    await this.done(session_uuid, "answer", { command_uid: "take" });
    return session_uuid;
  }

  /** A request of the app that is no command, under `/api/v1`. */
  app(method: string, path: string, body?: object): Promise<ClientResponse> {
    const headers = this.gateway.app;
    return this.gateway.client.request({ method, path: `/api/v1${path}`, headers, ...(body && { body }) });
  }

  /** The session as the app sees it. */
  session(session_uuid: string): Promise<ClientResponse> {
    return this.app("GET", `/sessions/${session_uuid}`);
  }

  /** A new conference room. @returns its id */
  async room(name: string): Promise<string> {
    const { status, text, body } = await this.app("POST", "/conferences", { name });
    if (status !== 201) throw new Error(`room ${name}: ${status} ${text}`);
    return String(body?.room_id);
  }

  async join(session_uuid: string, room_id: string, command_uid: string, muted = false): Promise<void> {
    const { data } = await this.done(session_uuid, "conference/join", { room_id, command_uid, muted });
    if (!data.success) throw new Error(`join: ${JSON.stringify(data)}`);
  }

  /** What the app was told of a call, from its beginning to its end, or of a room until it was closed. */
  async story(id: string): Promise<string[]> {
    return told(await this.receiver.story(id, id.includes("-room-") ? "conference.destroyed" : "call.hangup"));
  }
}

/** Opens stages for one test each; they are closed after it. */
export function stages(): (options?: TestOptions) => Promise<Stage> {
  const open: Stage[] = [];
  afterEach(async () => {
    for (const stage of open.splice(0)) await stage.close();
  });
  return async (options) => {
    const stage = await Stage.open(options);
    open.push(stage);
    return stage;
  };
}

/** What every story of {@link Stage.answered} and {@link Stage.talking} begins with. */
export const opening = ["call.new", "call.answered take", "command.result answer take done"];
