/** A gateway as an operator starts it: `voicegate serve` in a process of its own, which can be killed at any moment. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { Agent } from "node:http";
import path from "node:path";
import type { Question } from "./asking";
import { type Process, processesBelow } from "./processes";

export interface InstanceOptions {
  /** Which of the gateways, and its how many-eth life. */
  readonly slot: number;
  readonly life: number;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
}

/** What it says of itself once it is ready. */
interface Ready {
  readonly url: string;
  readonly node: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Compiled scripts lie in dist/scripts/chaos. */
const program = path.join(__dirname, "../../src/cli/voicegate.js");
/** Of a line, for those who look for something in it. */
const longestLine = 10_000;
const levels = { error: '"level":50', broken: /"msg":"contract (?:violation|check failed)"/ };

export class Instance {
  readonly slot: number;
  readonly life: number;
  readonly pid: number;
  /** Connections for requests to it. */
  readonly agent = new Agent({ keepAlive: true });
  /** Requests that it has not answered. */
  readonly asked = new Set<Question>();
  readonly ready: Promise<Ready>;
  readonly exit: Promise<Exit>;
  /** Processes that it has started, as far as they were looked for. */
  readonly children: Process[] = [];
  /** Lines of its log that tell of errors. */
  errors = 0;
  /** Lines that tell that something did not keep the document. */
  readonly broken: string[] = [];
  /** When it was killed: by the clocks of the process and of the day. */
  killed: { readonly at: number; readonly date: number } | null = null;
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  #told: Ready | null = null;
  #over = false;
  #asleep = false;
  #rest = "";

  constructor({ slot, life, env, log }: InstanceOptions) {
    this.slot = slot;
    this.life = life;
    this.#log = createWriteStream(log);
    // It dies with this process, however that dies.
    const args = ["--pdeathsig", "KILL", process.execPath, program, "serve"];
    const child = spawn("setpriv", args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    if (child.pid === undefined) throw new Error("a gateway cannot be started: is there a setpriv?");
    this.pid = child.pid;
    child.stderr.pipe(this.#log, { end: false });
    this.exit = once(child, "exit").then(([code, signal]) => {
      this.#over = true;
      this.agent.destroy();
      this.#log.end();
      return { code, signal };
    });
    this.ready = new Promise((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        this.#read(chunk);
        if (this.#told) resolve(this.#told);
      });
      this.exit.then(
        ({ code, signal }) => reject(new Error(`gateway ${slot} ended (${signal ?? code}) before it was ready`)),
        reject,
      );
    });
    // Whoever asks gets it; nobody has to.
    this.ready.catch(() => undefined);
  }

  get name(): string {
    return `gateway ${this.slot}, life ${this.life}`;
  }

  /** It runs, whether ready or not, or is asleep. */
  get alive(): boolean {
    return !this.#over && this.killed === null;
  }

  /** Somebody who asks it is answered. */
  get serving(): boolean {
    return this.alive && this.#told !== null && !this.#asleep;
  }

  /** @throws unless it is ready */
  get url(): string {
    return this.#known().url;
  }

  /** The node of its calls and rooms; null: not ready, nothing is known of it. */
  get node(): string | null {
    return this.#told?.node ?? null;
  }

  /** SIGKILL. False when it was not alive any more. */
  kill(): boolean {
    if (!this.alive) return false;
    this.look();
    if (!this.#child.kill("SIGKILL")) return false;
    this.killed = { at: performance.now(), date: Date.now() };
    return true;
  }

  /** From now on it does nothing, and does not know. */
  stop(): void {
    this.#asleep = this.alive && this.#child.kill("SIGSTOP");
  }

  /** False when it was not alive any more. */
  wake(): boolean {
    this.#asleep = false;
    return this.alive && this.#child.kill("SIGCONT");
  }

  /** In order. @returns how it ended */
  async terminate(): Promise<Exit> {
    this.look();
    this.#child.kill("SIGTERM");
    return this.exit;
  }

  /** Remembers which processes it has started. */
  look(): void {
    for (const found of processesBelow(this.pid)) {
      if (!this.children.some(({ pid, begun }) => pid === found.pid && begun === found.begun))
        this.children.push(found);
    }
  }

  #known(): Ready {
    if (!this.#told) throw new Error(`${this.name} is not ready`);
    return this.#told;
  }

  #read(chunk: Buffer): void {
    if (!this.#log.writableEnded) this.#log.write(chunk);
    const lines = `${this.#rest}${chunk.toString("utf8")}`.split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, longestLine);
    for (const line of lines) {
      if (!this.#told && line.includes('"msg":"ready"')) this.#told = JSON.parse(line);
      if (line.includes(levels.error)) this.errors += 1;
      if (levels.broken.test(line)) this.broken.push(line.slice(0, longestLine));
    }
  }
}
