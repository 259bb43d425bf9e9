/**
 * A histogram of Prometheus whose counting costs next to nothing: prom-client's own looks its labels up and checks them at
 * each observation, which with a handful of them took a tenth of a whole request. Only the scrape goes by the library.
 */
import { Histogram, type HistogramConfiguration } from "prom-client";

/** What was counted under one label. */
export class Timed {
  /** Of each bucket alone, and last of what is above all of them. */
  readonly counts: Float64Array;
  readonly #bounds: readonly number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(seconds: number): void {
    let place = 0;
    while (seconds > (this.#bounds[place] ?? Number.POSITIVE_INFINITY)) place += 1;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
    this.sum += seconds;
  }
}

export interface TimingsOptions extends Pick<HistogramConfiguration<string>, "name" | "help" | "registers"> {
  /** Upper bounds in seconds, rising. */
  readonly buckets: readonly number[];
  /** Null: what is counted has none. */
  readonly label: string | null;
}

export class Timings extends Histogram<string> {
  readonly #options: TimingsOptions;
  /** Never counted with: what the library shows of such a histogram, but for its values. */
  readonly #frame: Histogram<string>;
  readonly #timed = new Map<string, Timed>();

  constructor(options: TimingsOptions) {
    const { name, help, registers = [], buckets, label } = options;
    const same = { name, help, buckets: [...buckets], labelNames: label === null ? [] : [label] };
    super({ ...same, registers });
    this.#frame = new Histogram({ ...same, registers: [] });
    this.#options = options;
  }

  /** To be kept by whoever counts. @param value of the label, out of a bounded list; "" where there is none */
  of(value: string): Timed {
    const known = this.#timed.get(value);
    if (known) return known;
    const timed = new Timed(this.#options.buckets);
    this.#timed.set(value, timed);
    return timed;
  }

  override async get(): ReturnType<Histogram<string>["get"]> {
    const { name, buckets, label } = this.#options;
    const shown = await this.#frame.get();
    const values = [...this.#timed].flatMap(([value, { counts, sum }]) => {
      const labels: Record<string, string | number> = label === null ? {} : { [label]: value };
      let count = 0;
      const cumulative = [...buckets, "+Inf"].map((le, place) => {
        count += counts[place] ?? 0;
        return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
      });
      const total = (what: string, all: number) => ({ metricName: `${name}_${what}`, labels, value: all });
      return [...cumulative, total("sum", sum), total("count", count)];
    });
    return { ...shown, values };
  }

  /** What the library asks in place of `get` for its text format. */
  getForPromString(): ReturnType<Histogram<string>["get"]> {
    return this.get();
  }
}
