/**
 * A FreeSWITCH made of what a real one has said: its event socket, calls that are parked by its dialplan, and as much of what
 * commands do to them as the traces show. It can be silent, slow, cut off or started again where a test wants it.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Caller, type Exchange, ReplayChannel } from "./channel";
import { Template } from "./recorded";
import { ReplayRoom } from "./room";

const goodbye = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";
const shutDown = "The system is being shut down.\n";
const heartbeat = new Template("12-filters-heartbeat", "Event-Name: HEARTBEAT");

interface Client {
  readonly socket: Socket;
  authenticated: boolean;
  wanted: ReadonlySet<string>;
  text: string;
}

export class FreeswitchReplay {
  readonly password = "ClueCon";
  readonly channels = new Map<string, ReplayChannel>();
  /** All that was commanded, in its order. */
  readonly commands: string[] = [];
  /** What a real one would have done in another way than this one. */
  readonly beyond: string[] = [];
  /** Of the dialplan, by their names. */
  readonly extensions = new Map<string, (channel: ReplayChannel) => void>();
  core = randomUUID();
  /**
   * What becomes of a command: undefined: what a real one makes of it; a text: the whole answer, frame and all, and nothing
   * else happens; null: nothing at all happens.
   */
  intercept: (command: string) => string | null | undefined = () => undefined;
  /** Of the next event only so many bytes go out, then the connection is cut. */
  cutNextEventAt: number | null = null;
  readonly #rooms = new Map<string, ReplayRoom>();
  readonly #clients = new Set<Client>();
  readonly #exchange: Exchange;
  #server: Server = createServer();
  #port = 0;

  constructor(frameMs = 4) {
    this.#exchange = {
      frameMs,
      tell: (event) => this.tell(event),
      room: (name) => this.#room(name),
      extension: (name, channel) => this.#extension(name, channel),
      beyond: (what) => this.beyond.push(what),
      gone: ({ uuid }) => this.channels.delete(uuid),
    };
  }

  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#clients.size;
  }

  async listen(): Promise<void> {
    this.#server = createServer((socket) => this.#welcome(socket));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    // The same one when it is started again.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Somebody calls, and the dialplan parks the call, unanswered. */
  call(caller: Caller): ReplayChannel {
    const channel = new ReplayChannel(this.#exchange, caller);
    this.channels.set(channel.uuid, channel);
    channel.park(false);
    return channel;
  }

  /** The connections are cut; calls go on. */
  drop(): void {
    for (const { socket } of this.#clients) socket.destroy();
    this.#clients.clear();
  }

  /** Killed: the calls are gone, and nobody is told. */
  async kill(): Promise<void> {
    this.drop();
    for (const channel of [...this.channels.values()]) channel.hangup("SYSTEM_SHUTDOWN", "ended");
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }

  async restart(): Promise<void> {
    this.core = randomUUID();
    await this.listen();
  }

  /** In order: each call ends, then it says good-bye. */
  shutDown(): void {
    for (const channel of [...this.channels.values()]) channel.hangup("SYSTEM_SHUTDOWN", "ended");
    for (const { socket } of this.#clients) socket.end(notice(shutDown));
  }

  async close(): Promise<void> {
    await this.kill();
  }

  heartbeat(): void {
    this.tell(heartbeat.about("", {}));
  }

  /** @param event without the head of its frame, which has no place for another core than this one */
  tell(event: string): void {
    const about = event.replace(/^Core-UUID: .*$/m, `Core-UUID: ${this.core}`);
    const name = /^Event-Name: (.*)$/m.exec(about)?.[1] ?? "";
    const frame = `Content-Length: ${Buffer.byteLength(about)}\nContent-Type: text/event-plain\n\n${about}`;
    for (const client of this.#clients) {
      if (!client.wanted.has(name)) continue;
      if (this.cutNextEventAt === null) client.socket.write(frame);
      else {
        client.socket.end(frame.slice(0, this.cutNextEventAt));
        this.#clients.delete(client);
      }
    }
    this.cutNextEventAt = null;
  }

  room(name: string): ReplayRoom | undefined {
    return this.#rooms.get(name);
  }

  #room(name: string): ReplayRoom {
    const known = this.#rooms.get(name);
    if (known && known.size > 0) return known;
    const room = new ReplayRoom(this.#exchange, name);
    this.#rooms.set(name, room);
    return room;
  }

  #extension(name: string, channel: ReplayChannel): boolean {
    const extension = this.extensions.get(name);
    extension?.(channel);
    return extension !== undefined;
  }

  #welcome(socket: Socket): void {
    const client: Client = { socket, authenticated: false, wanted: new Set(), text: "" };
    this.#clients.add(client);
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#read(client, bytes.toString("utf8")));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#clients.delete(client));
    socket.write("Content-Type: auth/request\n\n");
  }

  #read(client: Client, text: string): void {
    client.text += text;
    for (let end = client.text.indexOf("\n\n"); end >= 0; end = client.text.indexOf("\n\n")) {
      const command = client.text.slice(0, end);
      client.text = client.text.slice(end + 2);
      this.commands.push(command);
      const instead = this.intercept(command);
      if (instead === undefined) this.#take(client, command);
      else if (instead !== null) client.socket.write(instead);
    }
  }

  #take(client: Client, command: string): void {
    const { socket } = client;
    const [verb = "", ...words] = (command.split("\n", 1)[0] ?? "").split(" ");
    if (verb === "auth") {
      client.authenticated = words.join(" ") === this.password;
      socket.write(reply(client.authenticated ? "+OK accepted" : "-ERR invalid"));
      if (!client.authenticated) socket.end(notice(goodbye));
    } else if (!client.authenticated) socket.write(reply("-ERR command not found"));
    else if (verb === "event") {
      client.wanted = new Set(words.slice(1));
      socket.write(reply("+OK event listener enabled plain"));
    } else if (verb === "noevents") {
      client.wanted = new Set();
      socket.write(reply("+OK no longer listening for events"));
    } else if (verb === "exit") socket.end(`${reply("+OK bye")}${notice(goodbye)}`);
    else if (verb === "sendmsg") socket.write(reply(this.#message(command)));
    else if (verb === "api") socket.write(response(this.#api(words)));
    else socket.write(reply("-ERR command not found"));
  }

  #message(command: string): string {
    const [first = "", ...lines] = command.split("\n");
    const fields = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
    const uuid = first.slice("sendmsg ".length);
    const channel = this.channels.get(uuid);
    if (!channel) return `-ERR invalid session id [${uuid}]`;
    const argument = fields.get("execute-app-arg") ?? "";
    channel.execute(fields.get("execute-app-name") ?? "", argument, fields.get("Event-UUID") ?? randomUUID());
    return "+OK";
  }

  #api(words: readonly string[]): string {
    const [name = "", first = "", ...rest] = words;
    if (name === "global_getvar") return this.core;
    if (name === "show") return this.#show();
    if (name === "conference") {
      const room = this.#rooms.get(first);
      return room && room.size > 0 ? room.command(rest) : `-ERR Conference ${first} not found\n`;
    }
    const channel = this.channels.get(first);
    if (!name.startsWith("uuid_") && name !== "sched_del") return `-ERR ${name} Command not found!\n`;
    if (name === "sched_del") return this.#unschedule(channel);
    if (!channel) return name === "uuid_record" ? "-ERR Cannot locate session!\n" : "-ERR No such channel!\n";
    return this.#act(channel, name, rest);
  }

  #act(channel: ReplayChannel, name: string, [word = "", file = ""]: readonly string[]): string {
    switch (name) {
      case "uuid_dump":
        return channel.dump().trimEnd();
      case "uuid_getvar":
        return channel.variables.get(word) ?? "_undef_";
      case "uuid_setvar_multi":
        for (const pair of word.split(";")) channel.variables.set(pair.split("=")[0] ?? "", pair.split("=")[1] ?? "");
        return "+OK\n";
      case "uuid_answer":
        channel.answer();
        return "+OK\n";
      case "uuid_kill":
        setTimeout(() => channel.hangup(word || "NORMAL_CLEARING", "ended"), this.#exchange.frameMs);
        return "+OK\n";
      case "uuid_transfer":
        channel.transfer(file === "inline" ? `${word} inline` : word);
        return "+OK\n";
      case "uuid_break":
        channel.break(word === "all");
        return "+OK\n";
      case "uuid_fileman":
        return channel.seek(Number(word.split(":")[1])) ? "+OK\n" : "-ERR No file handle!\n";
      case "uuid_record":
        if (word === "start") channel.record(file);
        else if (!channel.stopRecord(file === "all" ? null : file)) return "-ERR Cannot stop record session!\n";
        return "+OK Success\n";
      default:
        return `-ERR ${name} Command not found!\n`;
    }
  }

  #unschedule(channel: ReplayChannel | undefined): string {
    const timed = channel?.timed === true;
    if (channel) channel.timed = false;
    return `+OK Deleted: ${timed ? 1 : 0}\n`;
  }

  #show(): string {
    const rows = [...this.channels.values()].map((channel) => ({
      uuid: channel.uuid,
      direction: "inbound",
      cid_num: channel.caller.caller_id,
      dest: channel.caller.did,
      application: channel.application,
      application_data: channel.room ? `${channel.room.name}@voicegate` : "",
      callstate: channel.answered ? "ACTIVE" : channel.early ? "EARLY" : "RINGING",
    }));
    return rows.length === 0 ? '{"row_count": 0}\n' : `${JSON.stringify({ row_count: rows.length, rows })}\n`;
  }
}

const reply = (text: string): string => `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
const response = (body: string): string =>
  `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
const notice = (body: string): string =>
  `Content-Type: text/disconnect-notice\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
