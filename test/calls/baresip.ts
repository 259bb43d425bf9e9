/** A caller that nobody here wrote: baresip, a phone without a head, told what to do over its control connection. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** `CALL_RINGING`, `CALL_PROGRESS` (early media), `CALL_ESTABLISHED`, `CALL_CLOSED` (with the reason), … */
export interface PhoneEvent {
  readonly type: string;
  readonly param?: string;
}

/** As it went over the wire, by the phone's own trace. */
export interface SipMessage {
  readonly transport: string;
  readonly sent: boolean;
  readonly text: string;
}

/** Clear of the ports that systems give out by themselves and of the gateway's RTP; each phone takes two, and one for control. */
const ports = { first: 11_000, last: 15_900 };
/** If a test dies, its phone ends by itself. */
const longestSeconds = 120;

export class Baresip {
  readonly events: PhoneEvent[] = [];
  readonly #process: ChildProcess;
  readonly #folder: string;
  /** `127.0.0.1:5060`: where it calls. */
  #callee = "";
  #control: Socket | null = null;
  #output = "";
  #unread = Buffer.alloc(0);
  readonly #responses = new Map<string, (response: { ok: boolean; data: string }) => void>();
  readonly #waiting = new Set<() => void>();
  readonly #exited: Promise<unknown>;
  #tokens = 0;
  #failure: Error | null = null;

  private constructor(
    readonly name: string,
    folder: string,
  ) {
    this.#folder = folder;
    const options = ["-s", "-t", String(longestSeconds), "-f", folder];
    this.#process = spawn("baresip", options, { stdio: ["ignore", "pipe", "pipe"] });
    this.#exited = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.once("error", (error) => this.#fail(new Error(`baresip (package baresip-core): ${error.message}`)));
    this.#process.once("exit", () => this.#fail(new Error(`baresip has ended:\n${this.#output.slice(-2000)}`)));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (text: Buffer) => {
        this.#output += text.toString("latin1");
        this.#look();
      });
    }
  }

  /** A phone that is ready to call. It sends what it hears, and keeps what it hears in a file. */
  static async start(name: string): Promise<Baresip> {
    const folder = await mkdtemp(path.join(tmpdir(), "voicegate-baresip-"));
    const [sipPort, control] = [await freePair(), await freePair()];
    const config = [
      "module_path /usr/lib/baresip/modules",
      ...["g711", "aubridge", "sndfile"].map((module) => `module ${module}.so`),
      ...["account", "menu", "ctrl_tcp"].map((module) => `module_app ${module}.so`),
      `sip_listen 127.0.0.1:${sipPort}`,
      `ctrl_tcp_listen 127.0.0.1:${control}`,
      "audio_source aubridge,ear",
      "audio_player aubridge,ear",
      `audio_path ${folder}`,
      // Else its ringback takes the device that the call needs.
      "ringback_disabled yes",
      `snd_path ${folder}`,
      // What waits in it when a call is answered or ends would never be heard.
      "jitter_buffer_delay 0-0",
    ];
    await writeFile(path.join(folder, "config"), `${config.join("\n")}\n`);
    await writeFile(path.join(folder, "contacts"), "");
    await writeFile(path.join(folder, "accounts"), `<sip:${name}@127.0.0.1:${sipPort}>;regint=0\n`);
    const phone = new Baresip(name, folder);
    try {
      await phone.#until(() => phone.#output.includes("baresip is ready") || undefined);
      await phone.#connect(control);
      return phone;
    } catch (error) {
      await phone.close();
      throw error;
    }
  }

  /** @param uri `sip:100@127.0.0.1:5060;transport=tcp` */
  async dial(uri: string): Promise<void> {
    this.#callee = /@([^;]+)/.exec(uri)?.[1] ?? "";
    await this.#command("dial", uri);
  }

  /** Keys by RFC 4733, one after the other. */
  async press(digits: string): Promise<void> {
    for (const digit of digits) await this.#command("sndcode", digit);
  }

  /** BYE, or CANCEL before the answer. */
  async hangUp(): Promise<void> {
    await this.#command("hangup", "");
  }

  /** The first event of this type, come already or to come. */
  event(type: string): Promise<PhoneEvent> {
    return this.#until(() => this.events.find((event) => event.type === type));
  }

  /** The first message from the gateway that begins like this: `SIP/2.0 180`, `BYE`. */
  received(start: string): Promise<SipMessage> {
    return this.#until(() => this.messages().find(({ sent, text }) => !sent && text.startsWith(start)));
  }

  messages(): SipMessage[] {
    // Each is printed in a colour of its own, below a line with its addresses.
    const blocks = this.#output.split("\u001b[36;1m#\n").slice(1);
    return blocks.flatMap((block) => {
      const [printed = "", ...rest] = block.split("\u001b[;m");
      const [, transport = "", from, text = ""] = /^(\w+) (\S+) -> \S+\n([\s\S]*)$/.exec(printed) ?? [];
      return rest.length > 0 ? [{ transport, sent: from !== this.#callee, text }] : [];
    });
  }

  /** Ends the phone as a crash does: no BYE, no more RTP. */
  async vanish(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** Ends the phone, and with it its calls. @returns what it heard in its last call, 8 kHz samples */
  async heard(): Promise<Int16Array> {
    this.#process.kill("SIGTERM");
    await this.#exited;
    const dump = (await readdir(this.#folder))
      .filter((name) => name.endsWith("-dec.wav"))
      .sort()
      .at(-1);
    if (!dump) throw new Error("the phone heard nothing");
    const file = await readFile(path.join(this.#folder, dump));
    const [channels, rate, bits] = [file.readUInt16LE(22), file.readUInt32LE(24), file.readUInt16LE(34)];
    if (channels !== 1 || rate !== 8000 || bits !== 16) throw new Error(`heard ${channels}×${rate} Hz, ${bits} bits`);
    const body = file.subarray(file.indexOf("data") + 8);
    return Int16Array.from({ length: body.length >> 1 }, (_, i) => body.readInt16LE(i * 2));
  }

  async close(): Promise<void> {
    this.#control?.destroy();
    this.#process.kill("SIGKILL");
    await this.#exited;
    await rm(this.#folder, { recursive: true });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#look();
  }

  #look(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const again of waiting) again();
  }

  async #until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #connect(port: number): Promise<void> {
    const control = connect(port, "127.0.0.1");
    await once(control, "connect");
    this.#control = control;
    control.on("data", (data) => this.#read(data));
    control.on("error", (error) => this.#fail(error));
  }

  async #command(command: string, params: string): Promise<void> {
    const token = String(++this.#tokens);
    const response = new Promise<{ ok: boolean; data: string }>((resolve) => this.#responses.set(token, resolve));
    const text = JSON.stringify({ command, params, token });
    this.#control?.write(`${Buffer.byteLength(text)}:${text},`);
    const { ok, data } = await Promise.race([response, this.#exited.then(() => ({ ok: false, data: "it has ended" }))]);
    if (!ok) throw new Error(`baresip: ${command} ${params}: ${data}`);
  }

  /** Netstrings of JSON. */
  #read(data: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, data]);
    for (;;) {
      const colon = this.#unread.indexOf(":");
      const end = colon + 1 + Number(this.#unread.subarray(0, Math.max(colon, 0)).toString("latin1"));
      if (colon < 0 || this.#unread.length <= end) break;
      const message = JSON.parse(this.#unread.subarray(colon + 1, end).toString("utf8"));
      this.#unread = this.#unread.subarray(end + 1);
      if (message.response) this.#responses.get(message.token)?.(message);
      else this.events.push(message);
    }
    this.#look();
  }
}

async function freePair(): Promise<number> {
  for (;;) {
    const port = ports.first + 2 * Math.floor((Math.random() * (ports.last - ports.first)) / 2);
    if ((await Promise.all([isFree(port), isFree(port + 1)])).every(Boolean)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket("udp4");
  const bound = async (socket: typeof tcp | typeof udp, ready: Promise<unknown>): Promise<boolean> => {
    const free = await ready.then(
      () => true,
      () => false,
    );
    if (free) await new Promise<void>((resolve) => socket.close(() => resolve()));
    return free;
  };
  const ways = [bound(tcp, once(tcp.listen(port, "127.0.0.1"), "listening"))];
  udp.bind(port, "127.0.0.1");
  ways.push(bound(udp, once(udp, "listening")));
  return (await Promise.all(ways)).every(Boolean);
}
