/**
 * The way to one FreeSWITCH: a connection, the next one when it is lost, and what is expected of its events. A command that
 * is confirmed by an event is expected before it is sent, and settled by that event, by its deadline, or by the loss of the
 * connection or of the call that it was for.
 */
import type { Log } from "../../log";
import { Refused } from "../engine";
import { type Command, coreUuid, subscribe, unsubscribe } from "./commands";
import { Connection, type ConnectionOptions, type Ending } from "./connection";
import type { FreeswitchEvent } from "./event";
import { Expectations } from "./expectations";

export interface LinkTimings {
  /** So long nothing may come, until FreeSWITCH is asked whether it is there. Its heartbeat comes every 20 s. */
  readonly quietMs: number;
  /** A reply that has not come by then never does. FreeSWITCH may well be busy for seconds. */
  readonly overdueMs: number;
  /** Before the second try, the third, … up to the longest. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** Where the password is wrong, or what answers is something else. */
  readonly hopelessRetryMs: number;
}

export const linkTimings: LinkTimings = {
  quietMs: 10_000,
  overdueMs: 5000,
  retryMs: 250,
  longestRetryMs: 5000,
  hopelessRetryMs: 30_000,
};

export interface LinkOptions extends Omit<ConnectionOptions, "openMs" | "overdueMs"> {
  readonly node: string;
  readonly timings: LinkTimings;
  readonly log: Log;
}

export interface LinkHandler {
  /**
   * Connected, subscribed, and no event is told before this has resolved: time to find out what has happened meanwhile.
   * When it rejects, the connection is given up for the next one.
   */
  catchUp(core: string): Promise<void>;
  onEvent(event: FreeswitchEvent): void;
}

/** Events that may come while it is found out what there is. With more it is tried again from the begin. */
const maxHeld = 20_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #handler: LinkHandler;
  readonly #expectations = new Expectations();
  #connection: Connection | null = null;
  /** Commands can be given. */
  #open = false;
  /** Events are told. Those that come before are held. */
  #current = false;
  #held: FreeswitchEvent[] = [];
  #reading = false;
  /** Each begin and end of reading is one: what was begun in an earlier one is not gone on with. */
  #round = 0;
  #tries = 0;
  #retry: NodeJS.Timeout | null = null;
  #probe: NodeJS.Timeout | null = null;
  #complaint = "";
  #closed = false;

  constructor(options: LinkOptions, handler: LinkHandler) {
    this.#options = options;
    this.#handler = handler;
  }

  start(): void {
    this.#connect();
  }

  /** Can commands be given, and are their outcomes heard of? */
  get connected(): boolean {
    return this.#open && (this.#current || !this.#reading);
  }

  /** Whether events are wanted, from the next connection on or on this one. */
  reads(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (!this.#open) return;
    if (reading) void this.#subscribe();
    else this.#unsubscribe();
  }

  /** @throws Refused */
  request(command: Command): Promise<string> {
    return this.#connection?.request(command) ?? Promise.reject(new Refused("unreachable"));
  }

  /**
   * A command that is done once an event has come, as the key names it.
   * @param channel refused as gone when that call ends first
   * @param check throws for a reply that is a refusal
   * @throws Refused, and what `check` throws
   */
  async confirmed(
    channel: string | null,
    key: string,
    command: Command,
    check: (reply: string) => void,
  ): Promise<FreeswitchEvent> {
    const expected = this.#expectations.expect(channel, key, this.#options.replyMs);
    try {
      check(await this.request(command));
    } catch (err) {
      expected.drop();
      throw err;
    }
    return expected.event;
  }

  /** An event has come that somebody may expect; says whether somebody did. */
  met(key: string, event: FreeswitchEvent): boolean {
    return this.#expectations.meet(key, event);
  }

  /** This call is over: what was expected of it does not come. */
  gone(channel: string): void {
    this.#expectations.refuse(channel, new Refused("gone"));
  }

  close(): void {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#connection?.close();
  }

  #connect(): void {
    const { node, timings, log, ...place } = this.#options;
    const overdueMs = Math.max(timings.overdueMs, place.replyMs * 2);
    const connection: Connection = new Connection(
      { ...place, openMs: 5000, overdueMs },
      {
        onEvent: (event) => this.#onEvent(event),
        onEnd: (ending) => this.#onEnd(connection, ending),
      },
      () => this.#onOpen(),
    );
    this.#connection = connection;
  }

  #onOpen(): void {
    const { node, log } = this.#options;
    log.info({ node }, "FreeSWITCH is connected");
    this.#complaint = "";
    this.#open = true;
    this.#probe = setInterval(() => this.#askWhenQuiet(), this.#options.timings.quietMs / 2);
    if (this.#reading) void this.#subscribe();
    else this.#tries = 0;
  }

  /** First the events, then what there is: what happens in between is in both, and not in neither. */
  async #subscribe(): Promise<void> {
    const connection = this.#connection;
    const { node, log } = this.#options;
    const round = ++this.#round;
    const current = () => this.#connection === connection && this.#open && this.#round === round;
    try {
      const reply = await this.request(subscribe);
      if (!reply.startsWith("+OK")) throw new Error(`no events: ${reply}`);
      const core = await this.request(coreUuid);
      if (!current()) return;
      await this.#handler.catchUp(core.trim());
      if (!current()) return;
      this.#current = true;
      this.#tries = 0;
      for (const event of this.#held.splice(0)) this.#tell(event);
    } catch (err) {
      if (!current()) return;
      log.warn({ node, err }, "what FreeSWITCH has could not be found out, and is asked for again");
      connection?.close();
    }
  }

  #unsubscribe(): void {
    this.#round++;
    this.#current = false;
    this.#held = [];
    this.#expectations.refuseAll(new Refused("unreachable"));
    const { node, log } = this.#options;
    this.request(unsubscribe).catch((err) => log.debug({ node, err }, "events were not given up in order"));
  }

  #onEvent(event: FreeswitchEvent): void {
    if (this.#current) this.#tell(event);
    else if (this.#reading) {
      this.#held.push(event);
      if (this.#held.length > maxHeld) {
        this.#options.log.warn({ node: this.#options.node }, "too many events while calls are taken up");
        this.#connection?.close();
      }
    }
  }

  /** One event that cannot be dealt with is no reason to lose all others. */
  #tell(event: FreeswitchEvent): void {
    const { node, log } = this.#options;
    try {
      this.#handler.onEvent(event);
    } catch (err) {
      log.error({ node, event: event.name, channel: event.channel, err }, "an event of FreeSWITCH was not dealt with");
    }
  }

  #onEnd(connection: Connection, ending: Ending): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#open = false;
    this.#current = false;
    this.#held = [];
    if (this.#probe) clearInterval(this.#probe);
    this.#expectations.refuseAll(new Refused("unreachable"));
    if (this.#closed) return;
    this.#complain(ending);
    this.#retry = setTimeout(() => this.#connect(), this.#pause(ending));
  }

  /** The same trouble once, not with each try. */
  #complain(ending: Ending): void {
    const { node, host, port, log } = this.#options;
    const detail = "detail" in ending ? ending.detail : undefined;
    const complaint = `${ending.why} ${detail}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    const fields = { node, host, port, why: ending.why, detail };
    if (ending.why === "password") log.error(fields, "the event socket of FreeSWITCH refuses the password");
    else if (ending.why === "denied") log.error(fields, "the event socket of FreeSWITCH refuses this address");
    else if (ending.why === "protocol") log.error(fields, "what answers there is no event socket of FreeSWITCH");
    else log.warn(fields, "FreeSWITCH is not connected");
  }

  #pause({ why }: Ending): number {
    const { retryMs, longestRetryMs, hopelessRetryMs } = this.#options.timings;
    const hopeless = why === "password" || why === "denied" || why === "protocol";
    const longest = hopeless ? hopelessRetryMs : longestRetryMs;
    const pause = hopeless ? hopelessRetryMs : Math.min(longest, retryMs * 2 ** Math.min(this.#tries++, 10));
    // Several gateways are not to come all at once.
    return pause * (0.75 + Math.random() / 2);
  }

  /** A FreeSWITCH that does not answer is found by its overdue reply. */
  #askWhenQuiet(): void {
    const connection = this.#connection;
    if (!connection || connection.quietMs < this.#options.timings.quietMs) return;
    connection.request(coreUuid).catch(() => {
      // Late: the connection ends by itself when the reply is overdue. Unreachable: it has ended.
    });
  }
}
