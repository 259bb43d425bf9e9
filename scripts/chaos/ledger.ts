/** What the apps asked for and what they were told: every call and room there was, and whether all is as promised. */
import { isRoom, nodeOf } from "../../src/ids";
import { type Asked, Source } from "./source";

/** A delivery whose signature holds. */
export interface Delivery {
  readonly webhook_id: string;
  readonly source: string;
  readonly sequence: number;
  readonly event: string;
  readonly timestamp: string;
  readonly app_id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/**
 * What is not as promised. `told`: what the app asked for and was told of. `late`: a call of a gateway that was killed ended too late,
 * or in another way. `gateway`: a gateway did what none may do. `left`: something is left when all is over. `short`:
 * too little happened to prove anything.
 */
export type FaultKind = "told" | "gateway" | "late" | "left" | "short";

export interface Fault {
  readonly kind: FaultKind;
  readonly text: string;
}

export class Ledger {
  readonly sources = new Map<string, Source>();
  readonly faults: Fault[] = [];
  #waiting: { readonly events: number; readonly resolve: () => void }[] = [];
  /** Deliveries, repeats included. */
  attempts = 0;
  /** First arrivals. */
  events = 0;
  givenUp = false;

  fault(kind: FaultKind, text: string): void {
    this.faults.push({ kind, text });
  }

  /** It is there: a gateway has said so, or told of it. */
  source(id: string, app_id: string): Source {
    const known = this.sources.get(id);
    if (known) return known;
    const source = new Source(id, isRoom(id) ? "room" : "call", nodeOf(id), app_id);
    this.sources.set(id, source);
    return source;
  }

  /** Calls and rooms of a node. */
  of(node: string): Source[] {
    return [...this.sources.values()].filter((source) => source.node === node);
  }

  /** How many there are of either kind, by what was told of them. */
  count(kind: Source["kind"]): number {
    return [...this.sources.values()].filter((source) => source.kind === kind && source.arrivals.size > 0).length;
  }

  /** Calls and rooms that are not over. */
  open(): Source[] {
    return [...this.sources.values()].filter(({ end }) => end === null);
  }

  /** What became of a command. The first answer that leaves nothing open stands. */
  asked({ id, asked: known }: Source, command_uid: string, asked: Asked): void {
    const before = known.get(command_uid);
    if (!before || before.outcome === "unknown") known.set(command_uid, asked);
    else if (
      before.outcome === "accepted" &&
      asked.outcome === "accepted" &&
      before.operation_id !== asked.operation_id
    )
      this.fault("told", `${id}: ${command_uid} was done twice, as ${before.operation_id} and ${asked.operation_id}`);
  }

  /** @returns the call or room, and the how many-eth delivery of this event it is, from 1 */
  arrived(delivery: Delivery): { readonly source: Source; readonly attempt: number } {
    this.attempts += 1;
    const { webhook_id: id, sequence, event, timestamp, data, body } = delivery;
    const source = this.source(delivery.source, delivery.app_id);
    const before = source.arrivals.get(sequence);
    if (before) {
      if (before.id !== id || before.body !== body)
        this.fault("told", `${id} is not the same each time: ${before.body} ${body}`);
      before.attempts += 1;
      return { source, attempt: before.attempts };
    }
    this.#judge(source, delivery);
    source.add({
      id,
      sequence,
      event,
      happened: Date.parse(timestamp),
      data,
      body,
      came: performance.now(),
      attempts: 1,
    });
    this.#count();
    return { source, attempt: 1 };
  }

  /** Just before the answer is sent: from then on the gateway may know. */
  acknowledged(source: Source, sequence: number): void {
    source.acknowledged = Math.max(source.acknowledged, sequence);
  }

  /** Resolves once so many events have come, or nobody waits for more. */
  reaches(events: number): Promise<void> {
    if (this.events >= events || this.givenUp) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push({ events, resolve }));
  }

  /** What is still to happen does not happen any more. */
  giveUp(): void {
    this.givenUp = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** When everything ought to be over. */
  judge(): void {
    for (const source of this.sources.values())
      for (const fault of source.faults()) this.fault("told", `${source.id}: ${fault}`);
  }

  #judge(source: Source, { webhook_id, sequence, event }: Delivery): void {
    const place = `${source.id} #${sequence} (${event})`;
    if (sequence !== source.next) this.fault("told", `${place} came first, when #${source.next} was due`);
    else if (source.acknowledged < sequence - 1)
      this.fault("told", `${place} came before #${sequence - 1} was acknowledged`);
    if (webhook_id !== `${source.id}.${sequence}`) this.fault("told", `${place} has the webhook-id ${webhook_id}`);
  }

  #count(): void {
    this.events += 1;
    const due = this.#waiting.filter(({ events }) => events <= this.events);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter(({ events }) => events > this.events);
    for (const { resolve } of due) resolve();
  }
}
