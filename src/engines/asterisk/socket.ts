/**
 * The websocket by which Asterisk tells of one application: opened again whenever it closes, as long as it is wanted. What
 * happens while it is closed is never told: whoever listens asks for it when it is open again.
 */
import { WebSocket } from "ws";
import type { Log } from "../../log";
import type { Ari } from "./ari";
import { at } from "./ari";
import { type AriEvent, Malformed, readEvent } from "./dialect";

export interface SocketOptions {
  readonly ari: Ari;
  /** The application. */
  readonly app: string;
  readonly log: Log;
  opened(): void;
  event(event: AriEvent): void;
  closed(): void;
}

/** Of one event; the longest are below 4 kB. */
const maxMessageBytes = 1024 * 1024;
const handshakeMs = 5000;
/** A peer that has said nothing for so long is asked, and has as long to answer. */
const quietMs = 3000;
const farewellMs = 500;
const firstRetryMs = 100;
const lastRetryMs = 5000;

export class AriSocket {
  readonly #options: SocketOptions;
  #wanted = false;
  #socket: WebSocket | null = null;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  /** From now on it is open whenever it can be. Idempotent. */
  open(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#failures = 0;
    this.#connect();
  }

  /** Closed for good, until it is opened. Idempotent. */
  close(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#forget();
    if (!socket) return;
    socket.close(1000);
    // Of one that does not answer nothing is left open.
    setTimeout(() => socket.terminate(), farewellMs).unref();
  }

  /** What was opened is of use: after a loss the first try comes soon. */
  steady(): void {
    this.#failures = 0;
  }

  /** What was heard cannot be used: it is opened anew. */
  again(): void {
    this.#socket?.terminate();
  }

  #connect(): void {
    const { ari, app, log } = this.#options;
    const { url, headers } = ari.socket(at`/events?app=${app}&subscribeAll=false`);
    const socket = new WebSocket(url, {
      headers,
      handshakeTimeout: handshakeMs,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    let quiet: NodeJS.Timeout | undefined;
    let asked = false;
    const heard = () => {
      asked = false;
      quiet?.refresh();
    };
    socket.on("open", () => {
      quiet = setInterval(() => {
        if (asked) socket.terminate();
        else socket.ping();
        asked = true;
      }, quietMs);
      if (this.#socket !== socket) return;
      log.info({ app }, "Asterisk: events are read");
      this.#options.opened();
    });
    socket.on("pong", heard);
    socket.on("ping", heard);
    socket.on("message", (data, binary) => {
      heard();
      // One that was closed on this side may still have something to say.
      if (this.#socket === socket) this.#take(String(data), binary);
    });
    socket.on("error", (err) => log.debug({ err }, "Asterisk: websocket"));
    socket.on("close", (code) => {
      clearInterval(quiet);
      if (this.#socket !== socket) return;
      if (quiet) log.warn({ app, code }, "Asterisk: events are not read");
      this.#forget();
      if (this.#wanted) this.#again();
    });
  }

  #take(text: string, binary: boolean): void {
    const { log } = this.#options;
    try {
      if (binary) throw new Malformed("it is binary");
      const event = readEvent(text);
      if (event.type === "ApplicationReplaced") {
        log.warn({}, "Asterisk: another one reads the events of this application");
        // Asterisk leaves it open and says nothing more.
        this.#socket?.terminate();
      } else this.#options.event(event);
    } catch (err) {
      if (!(err instanceof Malformed)) throw err;
      log.warn({ reason: err.message }, "Asterisk: an event cannot be read");
    }
  }

  #again(): void {
    const wait = Math.min(firstRetryMs * 2 ** this.#failures, lastRetryMs);
    this.#failures = Math.min(this.#failures + 1, 10);
    // Two that replace each other must not do so in step.
    this.#retry = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  #forget(): void {
    if (this.#socket === null) return;
    this.#socket = null;
    this.#options.closed();
  }
}
