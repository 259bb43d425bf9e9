/**
 * The way between one gateway and Redis. Every call passes here, so it is known which ones are under way: sent by the
 * gateway, and their answers not given to it. And a call can be caught there, with the gateway killed before it learns more.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Frames, words } from "./resp";

/** One connection: from the gateway (`near`), and to Redis (`far`). */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly asked: Frames;
  readonly answered: Frames;
  /** Calls under way, in the order in which they are answered. */
  readonly pending: string[];
  /** Nothing passes any more, in either direction. */
  caught: boolean;
}

/** Who waits for a call. */
interface Ambush {
  readonly calls: readonly string[];
  /** Redis gets the call all the same, and does it; else it never hears of it. */
  readonly reaches: boolean;
  readonly caught: () => void;
}

export class Wire {
  readonly #target: number;
  readonly #scripts: Map<string, string>;
  readonly #pairs = new Set<Pair>();
  #ambush: Ambush | null = null;
  /** Of the next answer so many bytes still pass. */
  #cut: { readonly bytes: number; readonly happened: () => void } | null = null;
  #cuts = 0;
  readonly #server = createServer((near) => this.#join(near));

  private constructor(target: number, scripts: Map<string, string>) {
    this.#target = target;
    this.#scripts = scripts;
  }

  /**
   * @param target the port of Redis
   * @param scripts names by digests: learnt from scripts that are sent in full, which each of them is once
   */
  static async open(target: number, scripts: Map<string, string>): Promise<Wire> {
    const wire = new Wire(target, scripts);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the wire is closed");
    return `redis://127.0.0.1:${address.port}`;
  }

  /** What is under way: names of scripts, or of plain commands. */
  get pending(): readonly string[] {
    return [...this.#pairs].flatMap(({ pending }) => pending);
  }

  /** How many connections were cut in the middle of an answer. */
  get cuts(): number {
    return this.#cuts;
  }

  /**
   * Waits for the next of these calls: from then on its connection is dead in both directions, and `caught` is called at once.
   * @returns gives the waiting up
   */
  ambush(calls: readonly string[], reaches: boolean, caught: () => void): () => void {
    const ambush = { calls, reaches, caught };
    this.#ambush = ambush;
    return () => {
      if (this.#ambush === ambush) this.#ambush = null;
    };
  }

  /** Passes so many bytes of the next answer on, or all but one, and then breaks its connection; resolves then. */
  cut(bytes: number): Promise<void> {
    return new Promise((happened) => {
      this.#cut = { bytes, happened };
    });
  }

  async close(): Promise<void> {
    for (const { near } of this.#pairs) near.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    const far = connect(this.#target, "127.0.0.1");
    const pair: Pair = { near, far, asked: new Frames(), answered: new Frames(), pending: [], caught: false };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      // Either end may go at any time: the other one learns it by `close`.
      socket.on("error", () => undefined);
    }
    near.on("close", () => {
      this.#pairs.delete(pair);
      // What was passed on before still gets there.
      far.end();
    });
    far.on("close", () => near.destroy());
    near.on("data", (chunk: Buffer) => {
      far.cork();
      for (const frame of pair.asked.take(chunk)) if (!pair.caught) this.#ask(pair, frame);
      far.uncork();
    });
    far.on("data", (chunk: Buffer) => {
      near.cork();
      for (const frame of pair.answered.take(chunk)) if (!pair.caught) this.#answer(pair, frame);
      near.uncork();
    });
  }

  #ask(pair: Pair, frame: Buffer): void {
    const name = this.#name(frame);
    pair.pending.push(name);
    const ambush = this.#ambush;
    if (!ambush?.calls.includes(name)) {
      pair.far.write(frame);
      return;
    }
    this.#ambush = null;
    pair.caught = true;
    if (ambush.reaches) pair.far.write(frame);
    ambush.caught();
  }

  /** Of the script that is called, which its first comment tells; else of the command. */
  #name(frame: Buffer): string {
    const [command = "", script = ""] = words(frame, 2);
    const name = command.toLowerCase();
    if (name === "evalsha") return this.#scripts.get(script) ?? name;
    if (name !== "eval") return name;
    const [, told = name] = /^-- (\w+)$/m.exec(script) ?? [];
    this.#scripts.set(createHash("sha1").update(script).digest("hex"), told);
    return told;
  }

  #answer(pair: Pair, frame: Buffer): void {
    const cut = this.#cut;
    if (!cut) {
      pair.pending.shift();
      pair.near.write(frame);
      return;
    }
    this.#cut = null;
    this.#cuts += 1;
    pair.caught = true;
    pair.near.end(frame.subarray(0, Math.min(cut.bytes, frame.length - 1)), () => pair.near.destroy());
    cut.happened();
  }
}
