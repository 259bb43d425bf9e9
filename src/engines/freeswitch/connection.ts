/**
 * One inbound connection to the event socket: authenticated, then commands and their replies, in their order, and events
 * between them. It ends once, for one reason, and is not used again.
 */
import { createConnection, type Socket } from "node:net";
import { Refused } from "../engine";
import { auth, type Command, exit, Unspeakable } from "./commands";
import { FreeswitchEvent } from "./event";
import { type Frame, type FrameLimits, FrameReader, FramingError } from "./frames";

/** Why there is no connection (any more). */
export type Ending =
  | { readonly why: "password" }
  /** Not from this address. */
  | { readonly why: "denied" }
  /** What answers there is no event socket, or does not keep to its protocol. */
  | { readonly why: "protocol"; readonly detail: string }
  | { readonly why: "unreachable"; readonly detail: string }
  | { readonly why: "silent" }
  /** FreeSWITCH said good-bye. */
  | { readonly why: "dismissed"; readonly detail: string }
  | { readonly why: "closed" };

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  /** How long a reply may take, until its command is refused as late. */
  readonly replyMs: number;
  /** For the whole way to the first accepted command. */
  readonly openMs: number;
  /** A reply that is still not there by then never comes, nor does one behind it. */
  readonly overdueMs: number;
  readonly limits?: FrameLimits;
}

export interface ConnectionHandler {
  onEvent(event: FreeswitchEvent): void;
  /** Once; what had no reply was refused before. */
  onEnd(ending: Ending): void;
}

interface Pending {
  readonly command: Command;
  readonly sent: number;
  settle: ((reply: string) => void) | null;
  refuse(refusal: Refused): void;
  readonly timer: NodeJS.Timeout;
}

/** Commands that have no reply yet. FreeSWITCH answers one in less than a millisecond: with so many it answers nobody. */
const maxPending = 2000;
/** Of what another protocol says, in the log. */
const bannerBytes = 80;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #handler: ConnectionHandler;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #pending: Pending[] = [];
  readonly #overdue: NodeJS.Timeout;
  readonly #opening: NodeJS.Timeout;
  #state: "greeting" | "asking" | "open" | "ended" = "greeting";
  #opened: () => void = () => undefined;
  /** Monotonic milliseconds of the last byte. */
  #heard = performance.now();
  /** What FreeSWITCH says before it hangs up. */
  #notice: string | null = null;

  /** @param onOpen told once, when commands can be given */
  constructor(options: ConnectionOptions, handler: ConnectionHandler, onOpen: () => void) {
    this.#options = options;
    this.#handler = handler;
    this.#opened = onOpen;
    this.#reader = new FrameReader(options.limits);
    this.#socket = createConnection({ host: options.host, port: options.port, noDelay: true });
    this.#socket.on("data", (bytes) => this.#read(bytes));
    this.#socket.on("error", (err) => this.#end({ why: "unreachable", detail: err.message }));
    this.#socket.on("end", () => this.#onFin());
    this.#socket.on("close", () => this.#onFin());
    this.#opening = setTimeout(() => this.#neverOpened(), options.openMs);
    this.#overdue = setInterval(() => this.#checkOverdue(), Math.max(50, options.overdueMs / 4));
  }

  /** How long nothing has come, in milliseconds. */
  get quietMs(): number {
    return performance.now() - this.#heard;
  }

  /**
   * Gives a command, and answers its reply: the body of an `api`, else the Reply-Text.
   * @throws Refused: `unreachable`, or `late`, then it is unknown whether it was taken
   */
  request(command: Command): Promise<string> {
    if (this.#state !== "open" || this.#pending.length >= maxPending) return Promise.reject(new Refused("unreachable"));
    return this.#send(command);
  }

  /** Says good-bye and hangs up. */
  close(): void {
    if (this.#state === "open") this.#socket.write(exit.text);
    this.#end({ why: "closed" });
  }

  /** Expected, then sent: a reply can come before `write` returns. */
  #send(command: Command): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      const pending: Pending = {
        command,
        sent: performance.now(),
        settle: resolve,
        refuse: reject,
        timer: setTimeout(() => {
          // Its reply is still awaited, and dropped: those behind it have theirs by their place.
          pending.settle = null;
          reject(new Refused("late"));
        }, this.#options.replyMs),
      };
      this.#pending.push(pending);
      this.#socket.write(command.text);
    });
  }

  #read(bytes: Buffer): void {
    if (this.#state === "ended") return;
    this.#heard = performance.now();
    try {
      for (const frame of this.#reader.push(bytes)) {
        this.#take(frame);
        if (this.#ended()) return;
      }
    } catch (err) {
      if (!(err instanceof FramingError)) throw err;
      const banner = this.#state === "greeting" ? `: ${printable(bytes)}` : "";
      this.#end({ why: "protocol", detail: `${err.message}${banner}` });
    }
  }

  #take({ head, body }: Frame): void {
    const type = head.get("Content-Type");
    switch (type) {
      case "text/event-plain":
        if (this.#state === "open") this.#handler.onEvent(FreeswitchEvent.parse(body.toString("utf8")));
        return;
      case "api/response":
        this.#reply("api/response", body.toString("utf8"));
        return;
      case "command/reply":
        this.#reply("command/reply", head.get("Reply-Text") ?? "");
        return;
      case "auth/request":
        this.#authenticate();
        return;
      case "text/disconnect-notice":
        this.#notice = body.toString("utf8").split("\n", 1)[0] ?? "";
        return;
      case "text/rude-rejection":
        this.#end({ why: "denied" });
        return;
      default:
        // Nothing that was asked for. What has been greeted is an event socket, whatever else it may tell.
        if (this.#state === "greeting") throw new FramingError("it does not ask for a password");
    }
  }

  #reply(kind: Command["reply"], text: string): void {
    const pending = this.#pending.shift();
    if (pending === undefined) throw new FramingError("a reply to nothing");
    clearTimeout(pending.timer);
    if (pending.command.reply !== kind) {
      pending.refuse(new Refused("unreachable"));
      throw new FramingError("a reply of another kind than its command's");
    }
    pending.settle?.(text);
  }

  #authenticate(): void {
    if (this.#state !== "greeting") throw new FramingError("asked for the password twice");
    this.#state = "asking";
    const command = speakable(this.#options.password);
    if (!command) {
      this.#end({ why: "password" });
      return;
    }
    this.#send(command).then(
      (reply) => {
        if (!reply.startsWith("+OK")) this.#end({ why: "password" });
        else if (this.#state === "asking") {
          this.#state = "open";
          clearTimeout(this.#opening);
          this.#opened();
        }
      },
      () => {
        // Late or cut off: told by the end of the connection.
      },
    );
  }

  /** A FreeSWITCH that hangs still has its connections accepted by the system that it runs on. */
  #neverOpened(): void {
    if (this.#state === "open") return;
    if (this.#state === "asking" || this.#reader.unfinished) this.#end({ why: "silent" });
    else this.#end({ why: "unreachable", detail: this.#socket.connecting ? "no answer" : "it says nothing" });
  }

  /** Replies come in their order: when one does not come, none comes any more. */
  #checkOverdue(): void {
    const first = this.#pending[0];
    if (first && performance.now() - first.sent > this.#options.overdueMs) this.#end({ why: "silent" });
  }

  #onFin(): void {
    if (this.#notice !== null) this.#end({ why: "dismissed", detail: this.#notice });
    else this.#end({ why: "unreachable", detail: "connection closed" });
  }

  #ended(): boolean {
    return this.#state === "ended";
  }

  #end(ending: Ending): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#opening);
    clearInterval(this.#overdue);
    for (const pending of this.#pending.splice(0)) {
      clearTimeout(pending.timer);
      pending.refuse(new Refused("unreachable"));
    }
    // What was said last goes out; what comes is nobody's any more.
    this.#socket.end();
    this.#socket.destroySoon();
    this.#handler.onEnd(ending);
  }
}

/** @returns null for a password that no command can hold, and that is wrong by that */
function speakable(password: string): Command | null {
  try {
    return auth(password);
  } catch (err) {
    if (err instanceof Unspeakable) return null;
    throw err;
  }
}

/** The begin of what came, for the log. */
function printable(bytes: Buffer): string {
  return JSON.stringify(bytes.toString("latin1", 0, bannerBytes));
}
