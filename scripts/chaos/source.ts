/** One call or room: what was asked of it, and what the app was told of it. */

/** One event, as it came first. */
export interface Arrival {
  readonly id: string;
  readonly sequence: number;
  readonly event: string;
  /** Epoch milliseconds: when it happened, by the gateway that wrote it down. */
  readonly happened: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** By the monotonic clock, when it was here. */
  readonly came: number;
  /** Deliveries of it so far. */
  attempts: number;
}

/**
 * `accepted`: answered 202, with this operation. `refused`: answered that it is not done. `unknown`: not answered, or in a
 * way that leaves it open.
 */
export type Asked =
  | { readonly outcome: "accepted"; readonly operation_id: string }
  | { readonly outcome: "refused" }
  | { readonly outcome: "unknown" };

/** Which event is the last one. */
const ends = { call: "call.hangup", room: "conference.destroyed" } as const;

export class Source {
  /** By its sequence, in the order of arrival. */
  readonly arrivals = new Map<number, Arrival>();
  /** By `command_uid`. */
  readonly asked = new Map<string, Asked>();
  /** The highest number that was acknowledged. */
  acknowledged = 0;
  #end: Arrival | null = null;

  constructor(
    readonly id: string,
    readonly kind: "call" | "room",
    readonly node: string,
    readonly app_id: string,
  ) {}

  /** What it was called when it was begun: the name by which decisions about it are drawn. */
  get label(): string {
    const { caller_id, name } = this.arrivals.get(1)?.data ?? {};
    return String(caller_id ?? name ?? "");
  }

  /** The number that is to come next. */
  get next(): number {
    return this.arrivals.size + 1;
  }

  /** The event that it is over with; null: it has not come. */
  get end(): Arrival | null {
    return this.#end;
  }

  add(arrival: Arrival): void {
    this.arrivals.set(arrival.sequence, arrival);
    if (arrival.event === ends[this.kind]) this.#end ??= arrival;
  }

  /** What is not as promised, once it should be over. */
  faults(): string[] {
    const { end, arrivals } = this;
    const faults: string[] = [];
    const last = Math.max(0, ...arrivals.keys());
    for (let sequence = 1; sequence < last; sequence++)
      if (!arrivals.has(sequence)) faults.push(`#${sequence} never came`);
    if (!end) faults.push(`no ${ends[this.kind]}; the last event is #${last}, ${arrivals.get(last)?.event}`);
    else if (end.sequence !== last) faults.push(`${arrivals.get(last)?.event} after ${end.event}`);
    if (this.acknowledged < last) faults.push(`#${last} was never acknowledged`);
    return [...faults, ...this.#results()];
  }

  #results(): string[] {
    const faults: string[] = [];
    const told = new Map<string, Arrival[]>();
    for (const arrival of this.arrivals.values()) {
      if (arrival.event !== "command.result") continue;
      const uid = String(arrival.data.command_uid);
      told.set(uid, [...(told.get(uid) ?? []), arrival]);
      if (!this.asked.has(uid)) faults.push(`a result of ${uid}, for which nobody has asked`);
    }
    for (const [uid, asked] of this.asked) {
      const results = told.get(uid) ?? [];
      const { outcome } = asked;
      const operation_id = "operation_id" in asked ? asked.operation_id : null;
      const [least, most] = [outcome === "accepted" ? 1 : 0, outcome === "refused" ? 0 : 1];
      if (results.length < least || results.length > most)
        faults.push(`${results.length} results of ${uid}, which was ${outcome}`);
      if (operation_id !== null && results.some(({ data }) => data.operation_id !== operation_id))
        faults.push(`the result of ${uid} is not of ${operation_id}`);
    }
    return faults;
  }
}
