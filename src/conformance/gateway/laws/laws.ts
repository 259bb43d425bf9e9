/**
 * What holds for every webhook, whatever check caused it: watched all the time, and asked for at the end. A law that
 * nothing could break, because nothing came, is skipped.
 */
import { Broken, type Check, Skipped } from "../../check";
import { Clock } from "../ground/clock";
import type { Delivery, Endpoint, Witness } from "../ground/endpoint";
import { AttemptLaws } from "./attempts";
import { type Law, laws } from "./law";
import { SequenceLaws } from "./sequences";
import { Story } from "./stories";

/** Of one law, more say nothing new. */
const remembered = 200;
const shown = 10;

interface Found {
  readonly got: string;
  readonly seen: readonly string[];
}

/** A call that was placed for an app, or a room or call that an app was told of. */
export interface Source {
  readonly endpoint: Endpoint;
  readonly source: string;
}

export class Laws implements Witness {
  readonly #breaches = new Map<Law, Found[]>();
  readonly #attempts = new AttemptLaws();
  readonly #sequences = new SequenceLaws();
  /** Null: its beginning is not known, or something of it was not wanted or given up. */
  readonly #stories = new Map<string, Story | null>();
  readonly #sources = new Map<string, Source>();
  #came = 0;
  #concluded = false;

  /** @param clock of the gateway whose webhooks these are */
  constructor(readonly clock: Clock = new Clock()) {}

  came(endpoint: Endpoint, delivery: Delivery): void {
    this.#came += 1;
    const breach = (law: Law, got: string): void => this.#broken(law, got, endpoint.lines([delivery]));
    this.#attempts.watch(endpoint, delivery, breach);
    // What has no name or no number is wrong already, and belongs nowhere.
    if (delivery.source === "" || delivery.id === "") return;
    this.placed(endpoint, delivery.source);
    const place = this.#sequences.watch(endpoint, delivery, breach);
    if (!place.first) return;
    if (place.unhindered) this.#attempts.prompt(delivery);
    const key = `${endpoint.app_id} ${delivery.source}`;
    const whole = place.next && endpoint.wanted !== null && endpoint.wanted.length === 0 && !endpoint.mayMiss;
    const known = this.#stories.get(key);
    const story = whole && known !== null ? (known ?? new Story(delivery.source)) : null;
    this.#stories.set(key, story);
    story?.tell(delivery, breach);
  }

  answered(endpoint: Endpoint, delivery: Delivery): void {
    if (delivery.source !== "") this.#sequences.answered(endpoint, delivery);
  }

  /** A call is there: from now on its app must be told of it. */
  placed(endpoint: Endpoint, source: string): void {
    const key = `${endpoint.app_id} ${source}`;
    if (!this.#sources.has(key)) this.#sources.set(key, { endpoint, source });
  }

  /** Every call and room that a check placed or that was told of. */
  get sources(): readonly Source[] {
    return [...this.#sources.values()];
  }

  /** The first attempts of all events of this app, in their order. */
  firsts(app_id: string): readonly Delivery[] {
    return this.#sequences.firsts(app_id);
  }

  /** The first attempt of this event. */
  first(app_id: string, source: string, sequence: number): Delivery | undefined {
    return this.#sequences.first(app_id, source, sequence);
  }

  /** Nothing of this call or room was given up or unwanted: all that there is was delivered. */
  whole({ endpoint, source }: Source): boolean {
    return endpoint.wanted !== null && !endpoint.mayMiss && this.#sequences.whole(endpoint.app_id, source);
  }

  /** What broke a law, in the order of time; empty: nothing did. */
  breaches(law: Law): readonly Found[] {
    this.#conclude();
    return this.#breaches.get(law) ?? [];
  }

  /** One check for each law. */
  static checks(): Check<{ readonly laws: Laws }>[] {
    return Object.entries(laws).map(([law, [title, clause]]) => ({
      id: `laws/${law}`,
      title,
      clause,
      profile: "minimal",
      last: true,
      run: async ({ laws }) => laws.#kept(law as Law),
    }));
  }

  #kept(law: Law): void {
    if (this.#came === 0) throw new Skipped("No webhook came.");
    const breaches = this.breaches(law);
    const [first] = breaches;
    if (!first) return;
    const seen = breaches.slice(0, shown).flatMap(({ got, seen }) => [got, ...seen]);
    throw new Broken({ expected: laws[law][0], got: `${breaches.length} times otherwise, first: ${first.got}`, seen });
  }

  /** What can be judged only when all has come. */
  #conclude(): void {
    if (this.#concluded) return;
    this.#concluded = true;
    const tell = (law: Law, got: string, delivery: Delivery): void => {
      const found = this.#sources.get(`${delivery.app_id} ${delivery.source}`);
      this.#broken(law, got, found?.endpoint.lines([delivery]) ?? []);
    };
    this.#attempts.conclude(this.clock, tell);
    this.#sequences.conclude(tell);
    for (const story of this.#stories.values()) story?.conclude(tell);
  }

  #broken(law: Law, got: string, seen: readonly string[]): void {
    const all = this.#breaches.get(law) ?? [];
    this.#breaches.set(law, all);
    if (all.length < remembered) all.push({ got, seen });
  }
}
