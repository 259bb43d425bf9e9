/** The media child as a process: forked, asked, watched, replaced when it is gone, and ended. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Log } from "../../../log";
import { Refused } from "../../engine";
import type { Command, MediaSettings, Order, Report, Taken } from "./messages";
import { Pending } from "./pending";

export interface MediaOptions extends MediaSettings {
  /** How long a command may wait for the child's word. */
  readonly ackTimeoutMs: number;
  readonly log: Log;
}

/** What comes of the child without being asked. */
export interface ProcessListener {
  /** All reports but those that settle a command. */
  told(report: Exclude<Report, { tell: "taken" | "refused" }>): void;
  lost(): void;
}

const program = join(__dirname, "child.js");
const startDeadlineMs = 10_000;
/** For the last of the recordings to reach the disk, and for the process to be gone after that. */
const endDeadlineMs = { recordings: 5_000, exit: 2_000 };
const backoffMs = { first: 100, last: 5_000 };
/** A child that says nothing for this many pings in a row hangs and is killed: else messages for it would pile up. */
const heartbeat = { everyMs: 2_000, missed: 5 };
/** What of our environment the child may see: no keys. */
const environment = ["PATH", "LD_LIBRARY_PATH", "TZ", "UV_THREADPOOL_SIZE"];

export class MediaProcess {
  private child: ChildProcess | null = null;
  private ready = false;
  private closing: Promise<void> | null = null;
  private readonly pending = new Pending<Taken>();
  private heart: NodeJS.Timeout | undefined;
  private again: NodeJS.Timeout | undefined;
  private backoff = backoffMs.first;

  constructor(
    private readonly options: MediaOptions,
    private readonly listener: ProcessListener,
  ) {}

  /** Forks the child. Rejects when it does not come up (`unreachable`, `late`); once it did, a lost child is replaced by itself. */
  async start(): Promise<void> {
    const { host, portMin, portMax, rtpTimeoutMs, log } = this.options;
    const env = Object.fromEntries(
      environment.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])),
    );
    const child = fork(program, [], { env, execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    this.child = child;
    child.on("error", (error) => {
      log.warn({ error: error.message }, "media child");
      if (child.pid === undefined) this.lost(child, error.message);
    });
    child.once("exit", (code, signal) => this.lost(child, signal ?? `exit ${code}`));
    // A child without its channel is of no use; killed, it takes the one way out of `exit`.
    child.once("disconnect", () => {
      if (!this.closing) child.kill("SIGKILL");
    });
    child.on("message", (report: Report) => {
      // What a lost child had still to say comes too late: that it was lost has been told.
      if (this.child === child) this.report(report);
    });
    const { id, answer } = this.pending.expect(startDeadlineMs, () => {
      child.kill("SIGKILL");
      return new Refused("late");
    });
    this.send({ id, command: { do: "start", host, portMin, portMax, rtpTimeoutMs } });
    await answer;
    // Shut down, or dead, in the moment it came up.
    if (this.closing || this.child !== child) throw new Refused("unreachable");
    this.ready = true;
    this.beat(child);
    log.info({ pid: child.pid, port_min: portMin, port_max: portMax }, "media child is up");
  }

  connected(): boolean {
    return this.ready;
  }

  pid(): number | null {
    return this.child?.pid ?? null;
  }

  /**
   * `undo` takes back what is late. Messages keep their order: when the child takes the command after all, it comes right behind it.
   * @throws Refused
   */
  async request(command: Command, undo?: Command): Promise<Taken> {
    if (!this.ready) throw new Refused("unreachable");
    const { id, answer } = this.pending.expect(this.options.ackTimeoutMs, () => {
      if (undo) this.tell(undo);
      return new Refused("late");
    });
    this.send({ id, command });
    return answer;
  }

  /** A command that nobody waits for. */
  tell(command: Command): void {
    if (this.ready) this.send({ id: null, command });
  }

  /** Ends the recordings, then the child and everything pending. Idempotent. */
  shutdown(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private send(order: Order): void {
    // A channel that has just closed is no error of its own: the child's exit settles what is pending.
    if (this.child?.connected) this.child.send(order);
  }

  private beat(child: ChildProcess): void {
    let missed = 0;
    this.heart = setInterval(() => {
      if (missed === heartbeat.missed) {
        child.kill("SIGKILL");
        return;
      }
      if (missed > 0) this.options.log.warn({ missed }, "media child is silent");
      missed++;
      this.request({ do: "ping" }).then(
        () => {
          missed = 0;
          this.backoff = backoffMs.first;
        },
        (error: unknown) => this.options.log.debug({ error: String(error) }, "media child did not answer a ping"),
      );
    }, heartbeat.everyMs);
  }

  private report(report: Report): void {
    if (report.tell === "taken") this.pending.resolve(report.id, report);
    else if (report.tell === "refused") {
      // That a call is gone is the common end of a race with its hangup.
      const level = report.refusal === "gone" ? "debug" : "warn";
      this.options.log[level]({ reason: report.reason }, "media command refused");
      this.pending.reject(report.id, new Refused(report.refusal));
    } else this.listener.told(report);
  }

  private lost(child: ChildProcess, reason: string): void {
    if (this.child !== child) return;
    const served = this.ready;
    this.child = null;
    this.ready = false;
    clearInterval(this.heart);
    this.pending.rejectAll(() => new Refused("unreachable"));
    if (this.closing || !served) return;
    this.options.log.error({ pid: child.pid, reason }, "media child lost");
    this.replace();
    this.listener.lost();
  }

  private replace(): void {
    const wait = this.backoff;
    this.backoff = Math.min(this.backoff * 2, backoffMs.last);
    this.again = setTimeout(() => {
      this.start().catch((error: unknown) => {
        // Shut down before it was up: nothing has failed.
        if (this.closing) return;
        this.options.log.error({ error: String(error) }, "media child could not be replaced");
        this.replace();
      });
    }, wait);
  }

  private async end(): Promise<void> {
    clearTimeout(this.again);
    clearInterval(this.heart);
    const child = this.child;
    const served = this.ready;
    this.ready = false;
    this.pending.rejectAll(() => new Refused("unreachable"));
    if (child?.pid === undefined) return;
    const ended = once(child, "exit");
    if (served) await this.settle(child);
    if (child.connected) child.disconnect();
    const deadline = setTimeout(() => child.kill("SIGKILL"), endDeadlineMs.exit);
    await ended;
    clearTimeout(deadline);
  }

  /** The child's answer comes behind the last of its recordings. */
  private async settle(child: ChildProcess): Promise<void> {
    const { id, answer } = this.pending.expect(endDeadlineMs.recordings, () => {
      child.kill("SIGKILL");
      return new Refused("late");
    });
    this.send({ id, command: { do: "end" } });
    await answer.catch((error: unknown) =>
      this.options.log.warn({ error: String(error) }, "media child did not end its recordings"),
    );
  }
}
