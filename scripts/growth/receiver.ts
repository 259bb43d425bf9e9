/** The app's receiver: what was told of each call, for as long as somebody asks. */
import { setTimeout as delay } from "node:timers/promises";
import { type Arrival, Endpoint } from "../bench/endpoint";

/** How long anybody waits for an event: far longer than any takes. */
const patienceMs = 60_000;

interface Told {
  readonly arrived: Arrival[];
  again: () => void;
}

export class Receiver {
  readonly #told = new Map<string, Told>();
  readonly #expected = new Map<string, (session_uuid: string) => void>();
  readonly #endpoint = new Endpoint((arrival) => {
    // Rooms are not asked for: whoever deletes one is answered when it is over.
    if (arrival.session_uuid === undefined) return;
    if (arrival.event === "call.new") this.#expected.get(arrival.data.caller_id ?? "")?.(arrival.session_uuid);
    const told = this.#of(arrival.session_uuid);
    told.arrived.push(arrival);
    told.again();
  });

  listen(): Promise<number> {
    return this.#endpoint.listen();
  }

  /** The call of who is about to call; his name is his own. */
  async caller(caller_id: string): Promise<string> {
    const session_uuid = await new Promise<string>((resolve) => this.#expected.set(caller_id, resolve));
    this.#expected.delete(caller_id);
    return session_uuid;
  }

  /** The first event of this name, arrived already or to come. */
  async event(name: string, session_uuid: string): Promise<Arrival> {
    const told = this.#of(session_uuid);
    const given = new AbortController();
    const late = delay(patienceMs, "late" as const, { signal: given.signal }).catch(() => "found" as const);
    try {
      for (;;) {
        const found = told.arrived.find(({ event }) => event === name);
        if (found) return found;
        const more = new Promise<void>((resolve) => {
          told.again = resolve;
        });
        if ((await Promise.race([more, late])) === "late") throw new Error(`${session_uuid}: no ${name}`);
      }
    } finally {
      given.abort();
    }
  }

  /** Nobody will ask for this call any more. */
  forget(session_uuid: string): void {
    this.#told.delete(session_uuid);
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  #of(session_uuid: string): Told {
    const known = this.#told.get(session_uuid);
    if (known) return known;
    const told: Told = { arrived: [], again: () => undefined };
    this.#told.set(session_uuid, told);
    return told;
  }
}
