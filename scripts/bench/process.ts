/** A program of the benchmark in a process of its own, so that its CPU time is its own: `program.js <role>`. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Moment } from "./clock";

/** From a program to the benchmark, once it is ready. */
export interface Ready {
  readonly port: number;
  /** Of a gateway: its media process, and where it takes SIP. */
  readonly mediaPid: number | null;
  readonly sipPort: number | null;
}

/** What a program is told; it answers each. */
export type Question =
  /** Answers its CPU time so far, in microseconds. */
  | { readonly ask: "cpu" }
  /** Answers once the endpoint has taken so many events in all. */
  | { readonly ask: "received"; readonly events: number }
  /** So many keys on each of so many calls to this number. */
  | { readonly ask: "press"; readonly did: string; readonly calls: number; readonly keys: number }
  /** Answers once every key that was pressed on the calls to this number is committed: how many. */
  | { readonly ask: "committed"; readonly did: string }
  /** Keys on so many calls to this number, evenly; answers when each was to be pressed. */
  | {
      readonly ask: "pace";
      readonly did: string;
      readonly calls: number;
      readonly per_second: number;
      readonly seconds: number;
    }
  /** Answers when each event came since it was asked last, once there are so many. */
  | { readonly ask: "moments"; readonly events: number }
  /** From now on RTP goes to these ports, too. */
  | { readonly ask: "speak"; readonly ports: readonly number[] }
  /** Listens for so long, and answers what was heard. */
  | { readonly ask: "listen"; readonly seconds: number }
  /** So many live calls of this app more in the store, of a media node that is not here. */
  | { readonly ask: "fill"; readonly app_id: string; readonly sessions: number }
  /** Makes an app with this key and so many answered calls, and answers these. */
  | { readonly ask: "calls"; readonly app_id: string; readonly api_key: string; readonly calls: number }
  /** Answers once nothing is under way any more: with nothing, or after minutes with what still is. */
  | { readonly ask: "settle" }
  /** The store's clock goes on by so much, and the store sweeps. */
  | { readonly ask: "age"; readonly ms: number }
  /** Answers what the gateway and its media process hold. */
  | { readonly ask: "measure" };

/** What each question is answered with. */
export interface Answers {
  readonly cpu: number;
  readonly received: number;
  readonly press: number;
  readonly committed: number;
  readonly pace: readonly Moment[];
  readonly moments: readonly Moment[];
  readonly speak: number;
  readonly listen: Heard;
  readonly fill: number;
  readonly calls: readonly string[];
  readonly settle: readonly string[];
  readonly age: number;
  readonly measure: Sizes;
}

/** By what it is called in a table: bytes, or how many. Null: not known on this system. */
export type Sizes = Readonly<Record<string, number | null>>;

/** What runs in a program. */
export interface Role {
  readonly ready: Ready;
  answer?(question: Question): Promise<Answers[Question["ask"]]>;
  close?(): Promise<void>;
}

/** Of a program without media. */
export const plain = (port: number): Ready => ({ port, mediaPid: null, sipPort: null });
export const unknown = (question: Question) => new Error(`nobody here answers "${question.ask}"`);

/** Deviations are of the time between two packets of a call from 20 ms, in milliseconds. */
export interface Heard {
  readonly packets: number;
  /** By their sequence numbers. */
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** p99 of how late this process was itself. */
  readonly own: number;
}

/** How long a program may take for one answer. */
const patienceMs = 200_000;

export class Program {
  private constructor(
    readonly child: ChildProcess,
    readonly ready: Ready,
  ) {}

  /** Its log goes where a service's goes: into a pipe that somebody reads. */
  static async start(role: string, env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const child = fork(path.join(__dirname, "program.js"), [role], {
      env: { ...process.env, ...env },
      // Objects are counted by a means that Node calls experimental.
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "pipe", "inherit", "ipc"],
    });
    child.stdout?.resume();
    return new Program(child, await message(child, role));
  }

  /** One question at a time. */
  async ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]> {
    const answer = message<Answers[Q["ask"]]>(this.child, question.ask);
    this.child.send(question);
    return answer;
  }

  /** Microseconds of CPU so far, of the media process as well; that one is known on Linux only, and to 10 ms. */
  async cpu(): Promise<{ readonly own: number; readonly media: number }> {
    return { own: await this.ask({ ask: "cpu" }), media: cpuOf(this.ready.mediaPid) };
  }

  async stop(): Promise<void> {
    const exit = once(this.child, "exit");
    this.child.disconnect();
    await exit;
  }
}

async function message<T>(child: ChildProcess, what: string): Promise<T> {
  const given = new AbortController();
  const gone = () => given.abort(new Error(`the program ended before it answered: ${what}`));
  const timer = setTimeout(() => given.abort(new Error(`no answer: ${what}`)), patienceMs);
  child.once("exit", gone);
  try {
    const [answer] = await once(child, "message", { signal: given.signal });
    return answer;
  } catch (error) {
    throw given.signal.aborted ? given.signal.reason : error;
  } finally {
    clearTimeout(timer);
    child.off("exit", gone);
  }
}

/** Clock ticks of proc(5) are a hundredth of a second on every Linux that Node runs on. */
const tick = 10_000;

function cpuOf(pid: number | null): number {
  if (pid === null || process.platform !== "linux") return Number.NaN;
  // After the name, which may hold anything but ends with the last bracket: utime is field 14, stime 15.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * tick;
}
