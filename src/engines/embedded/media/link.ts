/** The main process's end of the media child: it forks it, speaks to it, and notices when it is gone. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Log } from "../../../log";
import { Refused } from "../../engine";
import type { Command, MediaSettings, Order, PcmFile, Remote, Report, Stopped, Taken } from "./messages";
import { Pending } from "./pending";

export type { PcmFile, Remote } from "./messages";

export interface MediaOptions extends MediaSettings {
  /** How long a command may wait for the child's word. */
  readonly ackTimeoutMs: number;
  readonly log: Log;
}

/** What the media child tells. Calls that were closed are not mentioned again, but for what was on its way. */
export interface MediaHandler {
  /** A digit by RFC 4733, once, when it ended. */
  onDigit(call: string, digit: string, duration_ms: number): void;
  /** The file's last sample was sent; `offset_ms` is the file's length. Told at once, so that a next file follows without a gap. */
  onPlayed(call: string, play: number, offset_ms: number): void;
  /** The file could not be read, or not as far as its `samples`. Nothing plays any more. */
  onPlayFailed(call: string, play: number): void;
  /** No RTP for `rtpTimeoutMs` while audio was expected. Told once per silence. */
  onTimeout(call: string): void;
  /** A simulated caller's press or tone has been sent completely. */
  onPressed(call: string, step: number): void;
  /** The child died: all its calls are without media. A new child is on its way; it knows none of them. */
  onLost(): void;
}

const program = join(__dirname, "child.js");
const startDeadlineMs = 10_000;
const shutdownDeadlineMs = 2_000;
const backoffMs = { first: 100, last: 5_000 };
/** A child that says nothing for this many pings in a row hangs and is killed: else messages for it would pile up. */
const heartbeat = { everyMs: 2_000, missed: 5 };
/** What of our environment the child may see: no keys. */
const environment = ["PATH", "LD_LIBRARY_PATH", "TZ", "UV_THREADPOOL_SIZE"];

/**
 * Commands resolve once the child has taken them. They reject with `Refused`: `unreachable` (no child, or no port left),
 * `late` (no word in `ackTimeoutMs`; what could still begin is taken back), `gone` (the child does not know the call:
 * closed, or lost with an earlier child). Order is kept per link.
 */
export class MediaLink {
  private child: ChildProcess | null = null;
  private ready = false;
  private closing: Promise<void> | null = null;
  private readonly pending = new Pending<Taken>();
  private heart: NodeJS.Timeout | undefined;
  private again: NodeJS.Timeout | undefined;
  private backoff = backoffMs.first;

  constructor(
    private readonly options: MediaOptions,
    private readonly handler: MediaHandler,
  ) {}

  /** Forks the child. Rejects when it does not come up (`unreachable`, `late`); once it did, a lost child is replaced by itself. */
  async start(): Promise<void> {
    await this.fork();
  }

  /** Is there a child that takes commands? */
  connected(): boolean {
    return this.ready;
  }

  pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Makes a call known and gives it a local RTP port, bound before this resolves; 0 for a simulated one. */
  open(call: string, kind: "socket" | "simulated"): Promise<{ port: number }> {
    const undo: Command = { do: "close", call };
    return this.request({ do: "open", call, kind }, ({ port }) => ({ port }), undo);
  }

  /** First, and again with each change. Audio flows from the first one on; to a simulated caller it does from `open` on, and this changes nothing. */
  remote(call: string, remote: Remote): Promise<void> {
    return this.request({ do: "remote", call, remote }, nothing);
  }

  /** Plays a file from `from_ms` on, in place of what plays. It waits for the first `remote`, and goes on unheard while on hold. */
  play(call: string, play: number, file: PcmFile, from_ms: number): Promise<void> {
    const undo: Command = { do: "stop", call, only: play };
    return this.request({ do: "play", call, play, file, from_ms }, nothing, undo);
  }

  /** Stops what plays: which, and the position in its file. Null when nothing played. */
  stop(call: string): Promise<Stopped | null> {
    return this.request({ do: "stop", call, only: null }, ({ stopped }) => stopped);
  }

  /** Is the child answering? */
  ping(): Promise<void> {
    return this.request({ do: "ping" }, nothing);
  }

  /** Forgets a call and frees its port. Unknown calls are ignored. */
  close(call: string): void {
    this.tell({ do: "close", call });
  }

  /** A simulated caller keys digits (0-9 * # A-D), `gap_ms` between them. Steps of one call are sent one after the other. */
  press(call: string, step: number, digits: string, gap_ms: number): void {
    this.tell({ do: "press", call, step, digits, gap_ms });
  }

  /** A simulated caller sends a sine. */
  tone(call: string, step: number, hz: number, ms: number): void {
    this.tell({ do: "tone", call, step, hz, ms });
  }

  /** Ends the child and everything pending. Idempotent. */
  shutdown(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  /** `undo` takes back what is late. Messages keep their order: when the child takes the command after all, it comes right behind it. */
  private async request<T>(command: Command, read: (taken: Taken) => T, undo?: Command): Promise<T> {
    if (!this.ready) throw new Refused("unreachable");
    const { id, answer } = this.pending.expect(this.options.ackTimeoutMs, () => {
      if (undo) this.tell(undo);
      return new Refused("late");
    });
    this.send({ id, command });
    return read(await answer);
  }

  private tell(command: Command): void {
    if (this.ready) this.send({ id: null, command });
  }

  private send(order: Order): void {
    // A channel that has just closed is no error of its own: the child's exit settles what is pending.
    if (this.child?.connected) this.child.send(order);
  }

  private async fork(): Promise<void> {
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
    child.on("message", (report: Report) => this.report(report));
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

  private beat(child: ChildProcess): void {
    let missed = 0;
    this.heart = setInterval(() => {
      if (missed === heartbeat.missed) {
        child.kill("SIGKILL");
        return;
      }
      if (missed > 0) this.options.log.warn({ missed }, "media child is silent");
      missed++;
      this.request({ do: "ping" }, nothing).then(
        () => {
          missed = 0;
          this.backoff = backoffMs.first;
        },
        (error: unknown) => this.options.log.debug({ error: String(error) }, "media child did not answer a ping"),
      );
    }, heartbeat.everyMs);
  }

  private report(report: Report): void {
    const { handler } = this;
    const { log } = this.options;
    switch (report.tell) {
      case "taken":
        this.pending.resolve(report.id, report);
        break;
      case "refused":
        // That a call is gone is the common end of a race with its hangup.
        log[report.refusal === "gone" ? "debug" : "warn"]({ reason: report.reason }, "media command refused");
        this.pending.reject(report.id, new Refused(report.refusal));
        break;
      case "digit":
        handler.onDigit(report.call, report.digit, report.duration_ms);
        break;
      case "played":
        handler.onPlayed(report.call, report.play, report.offset_ms);
        break;
      case "play_failed":
        log.warn({ call: report.call, reason: report.reason }, "file could not be played");
        handler.onPlayFailed(report.call, report.play);
        break;
      case "timeout":
        handler.onTimeout(report.call);
        break;
      case "pressed":
        handler.onPressed(report.call, report.step);
        break;
      case "trouble":
        log.warn({ call: report.call, reason: report.reason }, "RTP socket");
        break;
      case "closed":
        log.debug({ call: report.call, ...report.counters }, "media closed");
        break;
    }
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
    this.handler.onLost();
  }

  private replace(): void {
    const wait = this.backoff;
    this.backoff = Math.min(this.backoff * 2, backoffMs.last);
    this.again = setTimeout(() => {
      this.fork().catch((error: unknown) => {
        this.options.log.error({ error: String(error) }, "media child could not be replaced");
        if (!this.closing) this.replace();
      });
    }, wait);
  }

  private async end(): Promise<void> {
    clearTimeout(this.again);
    clearInterval(this.heart);
    const child = this.child;
    this.ready = false;
    if (child?.pid === undefined) return;
    const ended = once(child, "exit");
    if (child.connected) child.disconnect();
    const deadline = setTimeout(() => child.kill("SIGKILL"), shutdownDeadlineMs);
    await ended;
    clearTimeout(deadline);
  }
}

function nothing(): void {}
