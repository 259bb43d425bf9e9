/** Whether anything was lost, and the figures that say how much was tried. */
import { median, print, quantile, type Section } from "../bench/report";
import type { Disturbance } from "./disturbances";
import type { Fleet } from "./fleet";
import { isHit, type Kill, underWayShare } from "./kills";
import type { Fault, Ledger } from "./ledger";
import type { Losses } from "./losses";
import type { Pulse } from "./pulse";
import type { Receiver } from "./receiver";
import type { ChaosOptions } from "./run";

/** What was seen. */
export interface Seen {
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly kills: readonly Kill[];
  readonly naps: number;
  readonly losses: Losses;
  /** Calls whose gateway gave them up though it was alive. */
  readonly givenUp: number;
  readonly answers: Receiver["answers"];
  readonly statuses: ReadonlyMap<number | "none", number>;
  readonly disturbances: ReadonlyMap<Disturbance, number>;
  readonly pulse: Pulse;
  /** Bytes that Redis had written, and that were gone after its death. */
  readonly forgotten: number;
  /** By the monotonic clock. */
  readonly begun: number;
}

export interface Outcome {
  readonly seed: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly faults: readonly Fault[];
  /** What came of it that a Redis that does not synchronise each write has forgotten some: told, and no fault. */
  readonly forgotten: readonly Fault[];
}

/** Faults that are shown, and of each so many characters. */
const shown = 10;
const longest = 600;

export function outcomeOf(options: ChaosOptions, seen: Seen): Outcome {
  const { ledger, kills, losses, fleet, disturbances } = seen;
  const hit = (what: (kill: Kill) => boolean): number => kills.filter(what).length;
  const underWay = hit(isHit);
  const sources = [...ledger.sources.values()];
  const asked = sources.flatMap((source) => [...source.asked.values()]);
  const after = losses.ended.map(({ afterMs }) => afterMs).sort((a, b) => a - b);
  const told = losses.ended.map(({ toldMs }) => toldMs).sort((a, b) => a - b);
  const figures = {
    seconds: Math.round((performance.now() - seen.begun) / 1000),
    kills: kills.length,
    "hit something under way": underWay,
    "an admission": hit(({ underWay }) => underWay.admission),
    "a commit": hit(({ underWay }) => underWay.commit),
    "a delivery": hit(({ underWay }) => underWay.delivery),
    "a settlement (not counted above)": hit(({ underWay }) => underWay.settlement),
    "hit a gateway before it was ready": hit(({ instance }) => instance.node === null),
    "gateways put to sleep for a while": seen.naps,
    ...Object.fromEntries([...disturbances].map(([kind, count]) => [`Redis: ${kind}`, count])),
    "bytes that Redis has forgotten": seen.forgotten,
    "seconds without a Redis that answers": seen.pulse.absences.since(seen.begun) / 1000,
    "seconds without any gateway": fleet.absences.since(seen.begun) / 1000,
    "connections cut in the middle of an answer": fleet.wires.reduce((sum, { cuts }) => sum + cuts, 0),
    sessions: ledger.count("call"),
    rooms: ledger.count("room"),
    events: ledger.events,
    "deliveries, repeats included": ledger.attempts,
    "commands accepted": asked.filter(({ outcome }) => outcome === "accepted").length,
    "commands refused": asked.filter(({ outcome }) => outcome === "refused").length,
    "commands without a clear answer": asked.filter(({ outcome }) => outcome === "unknown").length,
    ...Object.fromEntries([...seen.statuses].sort().map(([status, count]) => [`answers: ${status}`, count])),
    ...Object.fromEntries([...seen.answers].map(([manner, count]) => [`receiver: ${manner}`, count])),
    "calls ended by the loss of their gateway": after.length,
    "ms from a kill to their end, median": median(after),
    "ms from a kill to their end, longest": quantile(after, 1),
    "ms from a kill to the receiver, median": median(told),
    "ms from a kill to the receiver, longest": quantile(told, 1),
    "calls and rooms asked for, at the end of the bound": losses.asked,
    "calls given up while their gateway lived": seen.givenUp,
    "error lines in the gateways' logs": fleet.instances.reduce((sum, { errors }) => sum + errors, 0),
  };
  const forgotten = (fault: Fault): boolean => seen.forgotten > 0 && (fault.kind === "told" || fault.kind === "late");
  return {
    seed: options.seed,
    figures,
    faults: [...ledger.faults.filter((fault) => !forgotten(fault)), ...short(options, figures, underWay)],
    forgotten: ledger.faults.filter(forgotten),
  };
}

/** What was too little to prove anything. */
function short(options: ChaosOptions, figures: Readonly<Record<string, number>>, underWay: number): Fault[] {
  const wanted = { kills: options.kills, sessions: options.sessions, events: options.events };
  const texts = Object.entries(wanted)
    .filter(([name, least]) => (figures[name] ?? 0) < least)
    .map(([name, least]) => `${figures[name]} ${name} of ${least}`);
  if (underWay < options.kills * underWayShare) texts.push(`only ${underWay} kills hit something under way`);
  return texts.map((text) => ({ kind: "short", text }));
}

/** For a reader. */
export function printed({ seed, figures, faults, forgotten }: Outcome): string {
  const table: Omit<Section, "figures"> = {
    title: `Chaos, seed ${seed}`,
    columns: ["", ""],
    rows: Object.entries(figures).map(([name, value]) => [name, Number.isNaN(value) ? "-" : String(Math.round(value))]),
    notes: [
      ...listed("Forgotten by Redis, which had not synchronised it", forgotten),
      ...listed("NOT AS PROMISED", faults),
      ending(seed, faults.length, forgotten.length),
    ],
  };
  return print(table);
}

function ending(seed: number, faults: number, forgotten: number): string {
  if (faults > 0) return `Something was lost. --seed ${seed} does the same again.`;
  return forgotten > 0 ? "Nothing was lost but what Redis has forgotten." : "Nothing was lost.";
}

/** How many there are of each sort, and some of them. */
function listed(title: string, faults: readonly Fault[]): string[] {
  if (faults.length === 0) return [];
  const sorts = new Map<string, number>();
  for (const fault of faults) sorts.set(sortOf(fault), (sorts.get(sortOf(fault)) ?? 0) + 1);
  return [
    `${title}: ${faults.length}`,
    ...[...sorts].sort(([, a], [, b]) => b - a).map(([sort, count]) => `  ${count} × ${sort}`),
    "  such as",
    ...faults.slice(0, shown).map(({ kind, text }) => `    ${kind}: ${text.slice(0, longest)}`),
  ];
}

/** Without what is its own. */
function sortOf({ kind, text }: Fault): string {
  const words = text.replace(/[{].*$/s, "").replaceAll(/[\w-]*[0-9a-f]{12}[\w.-]*/g, "…");
  return `${kind}: ${words.replaceAll(/\d+(?:\.\d+)*/g, "n").trim()}`;
}
