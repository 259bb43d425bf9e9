/** Laws of the numbers: what comes when, how often, and under which id. */
import type { Delivery, Endpoint } from "../ground/endpoint";
import type { Breach } from "./law";

/** After so many attempts an event is given up. */
const maxAttempts = 8;
/** What was answered so soon was answered in time: it is not sent again. */
const soonMs = 2_000;

/** One event, over all attempts to deliver it. */
interface Known {
  readonly id: string;
  readonly first: Delivery;
  attempts: number;
  /** A 2xx was the answer, and when. */
  taken: number | null;
}

/** One call or room. */
class Sequence {
  readonly events = new Map<number, Known>();
  reached = 0;
  /** Something may have been given up: gaps say nothing any more. */
  gaps = false;
  /** Something was refused or answered late: what follows may be late. */
  late = false;
  timestamp = 0;
}

/** What became of a delivery: is it a new event, and was nothing in its way? */
export interface Place {
  readonly first: boolean;
  /** Each number before it came before it. */
  readonly next: boolean;
  /** Nothing before it was refused. */
  readonly unhindered: boolean;
}

export class SequenceLaws {
  readonly #sequences = new Map<string, Sequence>();
  readonly #firsts = new Map<string, Delivery[]>();
  /** Of all apps. */
  readonly #ids = new Map<string, Delivery>();
  /** By name of the event. */
  readonly #counts = new Map<string, { sent: number; again: number; last: Delivery | null }>();

  watch(endpoint: Endpoint, delivery: Delivery, breach: Breach): Place {
    const { source, sequence, id, text, event } = delivery;
    const place = this.#sequence(endpoint, source);
    const first = this.#ids.get(id);
    if (first) {
      if (first.text !== text) breach("identity", `another body under the id ${id}`);
      if (first.source !== source || first.app_id !== delivery.app_id)
        breach("identity", `the id ${id} for ${first.source} and ${source}`);
      this.#again(place.events.get(sequence), delivery);
      return { first: false, next: false, unhindered: false };
    }
    this.#ids.set(id, delivery);
    const firsts = this.#firsts.get(endpoint.app_id) ?? [];
    firsts.push(delivery);
    this.#firsts.set(endpoint.app_id, firsts);
    const twin = place.events.get(sequence);
    if (twin) {
      breach("identity", `#${sequence} ${event} under the ids ${twin.id} and ${id}`);
      return { first: false, next: false, unhindered: false };
    }
    const next = sequence === place.reached + 1;
    place.gaps ||= endpoint.mayMiss;
    if (sequence <= place.reached && !place.gaps)
      breach("order", `#${sequence} ${event} for the first time after #${place.reached}`);
    else if (sequence > place.reached + 1 && !place.gaps)
      breach("sequence", `#${sequence} ${event} after #${place.reached}`);
    for (const [number, before] of place.events)
      if (number < sequence && !place.gaps && before.taken === null && before.attempts < maxAttempts) {
        breach("order", `#${sequence} ${event} before #${number} ${before.first.event} was taken`);
        break;
      }
    const at = Date.parse(delivery.timestamp);
    if (next && at < place.timestamp)
      breach(
        "clock",
        `#${sequence} ${event} at ${delivery.timestamp}, ${place.timestamp - at} ms before #${place.reached}`,
      );
    const unhindered = !place.late;
    place.events.set(sequence, { id, first: delivery, attempts: 1, taken: null });
    place.reached = Math.max(place.reached, sequence);
    place.timestamp = Math.max(place.timestamp, Number.isNaN(at) ? 0 : at);
    this.#count(event).sent += 1;
    return { first: true, next, unhindered };
  }

  /** It was answered; with null it was not, and is over. */
  answered(endpoint: Endpoint, { source, sequence, status, at }: Delivery): void {
    const place = this.#sequence(endpoint, source);
    const known = place.events.get(sequence);
    const now = Date.now();
    if (now - at > soonMs) place.late = true;
    if (status !== null && status >= 200 && status < 300) {
      if (known) known.taken ??= now;
      return;
    }
    place.late = true;
    // Turned off, and given up at once, as all that follows.
    if (status === 410 || (known?.attempts ?? maxAttempts) >= maxAttempts) place.gaps = true;
  }

  /** Judges what was sent again: once may be for want of time, but not half of all. */
  conclude(tell: (law: "repeats", got: string, delivery: Delivery) => void): void {
    for (const [event, { sent, again, last }] of this.#counts)
      if (again >= 2 && again * 2 >= sent && last) tell("repeats", `${again} of ${sent} ${event} once more`, last);
  }

  /** The first attempts of all events of this app, in their order. */
  firsts(app_id: string): readonly Delivery[] {
    return this.#firsts.get(app_id) ?? [];
  }

  /** The first attempt of this event. */
  first(app_id: string, source: string, sequence: number): Delivery | undefined {
    return this.#sequences.get(`${app_id} ${source}`)?.events.get(sequence)?.first;
  }

  /** Nothing of this call or room was given up. */
  whole(app_id: string, source: string): boolean {
    return this.#sequences.get(`${app_id} ${source}`)?.gaps !== true;
  }

  #again(known: Known | undefined, delivery: Delivery): void {
    if (!known) return;
    known.attempts += 1;
    if (known.taken === null || known.taken - known.first.at > soonMs) return;
    const count = this.#count(delivery.event);
    count.again += 1;
    count.last = delivery;
  }

  #count(event: string): { sent: number; again: number; last: Delivery | null } {
    const known = this.#counts.get(event) ?? { sent: 0, again: 0, last: null };
    this.#counts.set(event, known);
    return known;
  }

  #sequence({ app_id }: Endpoint, source: string): Sequence {
    const key = `${app_id} ${source}`;
    const known = this.#sequences.get(key) ?? new Sequence();
    this.#sequences.set(key, known);
    return known;
  }
}
