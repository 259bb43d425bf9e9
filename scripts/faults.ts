/** `npm run kit:faults`: is the conformance kit any good? It is run against gateways and receivers with one fault each. */
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { sideBySide } from "../src/side_by_side";
import { Seed } from "./chaos/seed";
import { facedGateway, facedReceiver } from "./faults/facing";
import { faults, matrix } from "./faults/index";
import { faultlessReceiver, faultyReceivers } from "./faults/receivers";
import { line, printed, sumOf, type Verdict } from "./faults/verdict";

/** Of the faults, so many must be caught. */
const needed = 0.95;
/** Half of a run is waiting. */
const jobsPerCore = 2;

const usage = `Usage: node dist/scripts/faults.js [options]

  --side <side>       gateway, receiver, or both (both)
  --only <names>      faults by the beginning of their names, by commas
  --all               all ${faults.length} faults of gateways, not the ${matrix.length} of the matrix: some hours
  --share <number>    that share of the faults, chosen by the seed (1)
  --seed <n>          of an earlier run: the same choice again
  --jobs <n>          runs at a time (${jobsPerCore} per core)
  --list              the faults, without trying them
  --json              verdicts for a machine instead of a table
  --help              this text

Under half an hour on two cores. Ends with 1 when less than ${needed * 100} % are caught, or what has no fault does not pass.
`;

interface Wanted {
  readonly only: readonly string[];
  readonly share: number;
  readonly seed: Seed;
  readonly jobs: number;
}

function number(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!(value >= least)) throw new TypeError(`--${name} ${text}: a number from ${least}`);
  return value;
}

/** Those that are wanted, in their order. */
function chosen<T extends { readonly name: string }>(all: readonly T[], { only, share, seed }: Wanted): readonly T[] {
  const named = all.filter(({ name }) => only.length === 0 || only.some((each) => name.startsWith(each)));
  const most = Math.max(1, Math.round(named.length * share));
  const byChance = named.toSorted((a, b) => seed.share(a.name) - seed.share(b.name)).slice(0, most);
  return share === 1 ? named : named.filter((each) => byChance.includes(each));
}

async function gateways(wanted: Wanted, all: boolean, signal: AbortSignal): Promise<readonly Verdict[]> {
  const list = chosen(all || wanted.only.length > 0 ? faults : matrix, wanted);
  const width = Math.max(...list.map(({ name }) => name.length), 8);
  let done = 0;
  return sideBySide([null, ...list], wanted.jobs, async (fault, index) => {
    const verdict = await facedGateway(fault, index, signal);
    process.stderr.write(`${String(++done).padStart(4)}/${list.length + 1}  ${line(verdict, width)}\n`);
    return verdict;
  });
}

async function receivers(wanted: Wanted, signal: AbortSignal): Promise<readonly Verdict[]> {
  const list = chosen(faultyReceivers, wanted);
  return sideBySide([faultlessReceiver, ...list], wanted.jobs, (receiver) => {
    return facedReceiver(receiver, receiver === faultlessReceiver ? "" : receiver.name, signal);
  });
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      side: { type: "string", default: "both" },
      only: { type: "string", default: "" },
      all: { type: "boolean", default: false },
      share: { type: "string", default: "1" },
      seed: { type: "string" },
      jobs: { type: "string" },
      list: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const { side } = values;
  if (!["gateway", "receiver", "both"].includes(side)) throw new TypeError(`--side ${side}: gateway, receiver or both`);
  if (values.list) {
    const rows = faults.map(
      ({ name, about }) => `${matrix.some((each) => each.name === name) ? "*" : " "} ${name}  ${about}\n`,
    );
    process.stdout.write(rows.join(""));
    return;
  }
  const seed = values.seed === undefined ? randomInt(2 ** 31) : number(values.seed, "seed", 0);
  process.stderr.write(`seed ${seed}\n`);
  const wanted: Wanted = {
    only: values.only.split(",").filter((each) => each !== ""),
    share: Math.min(1, number(values.share, "share", 0)),
    seed: new Seed(seed),
    jobs: values.jobs === undefined ? availableParallelism() * jobsPerCore : number(values.jobs, "jobs", 1),
  };
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  const all = {
    ...(side !== "receiver" && { gateway: await gateways(wanted, values.all, stopping.signal) }),
    ...(side !== "gateway" && { receiver: await receivers(wanted, stopping.signal) }),
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, ...all }, null, 2)}\n`);
  else for (const [name, verdicts] of Object.entries(all)) process.stdout.write(`\n${printed(verdicts, name)}`);
  for (const verdicts of Object.values(all)) {
    const { share, right } = sumOf(verdicts);
    if (share < needed || !right) process.exitCode = 1;
  }
}

run().catch((error: unknown) => {
  if (error instanceof TypeError) process.stderr.write(`${error.message}\n${usage}`);
  else console.error(error);
  process.exit(1);
});
