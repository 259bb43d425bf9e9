/** Does a command cost more the more calls there are? The same command, with more and more live calls in the store. */
import { answered, apps } from "./answered";
import { Gateway } from "./gateway";
import { run } from "./load";
import { median, ms, quantile, type Section, whole, µs } from "./report";
import { type UnderStore, withEach } from "./stores";

const connections = 32;
const perRound = 4000;
const rounds = 7;
/** Rounds before the first that counts: until everything is compiled. */
const warmUp = 2;
/** Live calls of the same apps, beside those that are commanded. */
const steps = [100, 10_000, 100_000];

interface Crowd {
  readonly sessions: number;
  readonly gateway: Gateway;
  readonly requests: readonly Buffer[];
  readonly cost: number[];
  readonly storeCost: number[];
  readonly rate: number[];
  readonly p99: number[];
}

async function crowd(store: UnderStore, sessions: number): Promise<Crowd> {
  const gateway = await Gateway.start("gateway", store.env());
  const requests = await answered(gateway, connections);
  for (const app_id of apps)
    await gateway.program.ask({ ask: "fill", app_id, sessions: Math.ceil(sessions / apps.length) });
  return { sessions, gateway, requests, cost: [], storeCost: [], rate: [], p99: [] };
}

async function measure(each: Crowd, store: UnderStore, counts: boolean): Promise<void> {
  const { requests } = each;
  const { program } = each.gateway;
  const before = await program.cpu();
  const storeBefore = await store.cpu();
  const load = { port: program.ready.port, requests, connections, total: perRound, status: 202 };
  const { seconds, took } = await run(load);
  const storeAfter = await store.cpu();
  const after = await program.cpu();
  if (!counts) return;
  each.cost.push((after.own - before.own) / perRound);
  each.storeCost.push((storeAfter - storeBefore) / perRound);
  each.rate.push(perRound / seconds);
  each.p99.push(quantile(took, 0.99));
}

/** Each has its own gateway, in turn, so that a machine whose speed drifts treats all alike. */
async function measured(store: UnderStore, progress: (line: string) => void) {
  const crowds: Crowd[] = [];
  for (const sessions of steps) {
    progress(`sessions, ${store.name}: ${sessions} calls are made`);
    crowds.push(await crowd(store, sessions));
  }
  for (let round = -warmUp; round < rounds; round++) {
    for (const each of crowds) await measure(each, store, round >= 0);
    progress(`sessions, ${store.name}: round ${Math.max(0, round + 1)} of ${rounds}`);
  }
  for (const { gateway } of crowds) await gateway.stop();
  const [base] = crowds;
  return crowds.map(({ sessions, cost, storeCost, rate, p99 }) => {
    const ratio = median(cost.map((each, round) => each / (base?.cost[round] ?? Number.NaN)));
    const figures = { cpu_us: median(cost), store_cpu_us: median(storeCost), ratio };
    return { name: store.name, sessions, ...figures, per_second: median(rate), p99_ms: median(p99) };
  });
}

export async function benchSessions(progress: (line: string) => void): Promise<Section> {
  const all = (await withEach((store) => measured(store, progress))).flat();
  return {
    title: `Sessions: POST …/commands/answer, ${connections} connections, ${rounds} rounds of ${perRound} requests`,
    columns: ["live calls in the store", "µs CPU", "× the first", "µs Redis", "p99 ms", "commands/s"],
    rows: all.map(({ name, sessions, cpu_us, store_cpu_us, ratio, p99_ms, per_second }) => [
      `${name}: ${sessions}`,
      µs(cpu_us),
      ratio.toFixed(2),
      name === "memory" ? "" : µs(store_cpu_us),
      ms(p99_ms),
      whole(per_second),
    ]),
    notes: [
      "CPU time of the gateway's process per command, and that of Redis beside it: medians of the rounds, the ratio round",
      "by round.",
    ],
    figures: Object.fromEntries(all.map(({ name, sessions, ...figures }) => [`${name} ${sessions}`, figures])),
  };
}
