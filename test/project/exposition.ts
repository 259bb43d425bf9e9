/** The text format 0.0.4 of Prometheus, read strictly: what a server of his would not take throws. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const types = ["counter", "gauge", "histogram", "summary", "untyped"];
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  label.lastIndex = 0;
  while (label.lastIndex < text.length) {
    const at = label.lastIndex;
    const [, name = "", value = ""] = label.exec(text) ?? [];
    if (name === "" || name in labels) throw new Error(`labels {${text}} at ${at}`);
    labels[name] = value;
  }
  return labels;
}

function numberOf(text: string): number {
  const value = Number(text.replace(/^([+-]?)Inf$/, "$1Infinity"));
  // A mean of nothing; case does not matter.
  if (Number.isNaN(value) && !/^nan$/i.test(text)) throw new Error(`no number: ${text}`);
  return value;
}

/** @throws also when a sample has no type, comes twice, or a histogram's buckets do not add up */
export function parseExposition(text: string): readonly Sample[] {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const typed = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const [, word, name = "", rest = ""] = comment.exec(line) ?? [];
    if (word === "TYPE") {
      if (!types.includes(rest) || typed.has(name)) throw new Error(line);
      typed.set(name, rest);
    }
    if (word !== undefined) continue;
    const [, sampled, labels = "", value = ""] = sample.exec(line) ?? [];
    if (sampled === undefined) throw new Error(`no line of this format: ${line}`);
    const family = typed.has(sampled) ? sampled : sampled.replace(/_(?:bucket|sum|count)$/, "");
    if (!typed.has(family)) throw new Error(`no type: ${line}`);
    const key = `${sampled}{${labels}}`;
    if (seen.has(key)) throw new Error(`twice: ${line}`);
    seen.add(key);
    samples.push({ name: sampled, labels: labelsOf(labels), value: numberOf(value) });
  }
  for (const [name, type] of typed) if (type === "histogram") checkHistogram(name, samples);
  return samples;
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const highest = new Map<string, number>();
  const bySeries = (labels: Sample["labels"]) =>
    JSON.stringify(
      Object.entries(labels)
        .filter(([key]) => key !== "le")
        .sort(),
    );
  for (const { labels, value } of samples.filter((each) => each.name === `${name}_bucket`)) {
    const series = bySeries(labels);
    if (value < (highest.get(series) ?? 0)) throw new Error(`${name}: buckets do not add up`);
    highest.set(series, value);
  }
  for (const { labels, value } of samples.filter((each) => each.name === `${name}_count`))
    if (highest.get(bySeries(labels)) !== value) throw new Error(`${name}: the last bucket is not the count`);
}

/** The value of the one sample with these labels; 0 when there is none. */
export function sampleOf(samples: readonly Sample[], name: string, labels: Sample["labels"] = {}): number {
  const wanted = Object.entries(labels);
  const found = samples.filter(
    (each) => each.name === name && wanted.every(([key, value]) => each.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name}`);
  return found[0]?.value ?? 0;
}
