/** CPU time per request of the whole command path, beside bare node:http, Koa + koa-body and Fastify. */
import { answer, answered } from "./answered";
import { Gateway } from "./gateway";
import { type Load, run } from "./load";
import { Program } from "./process";
import { median, type Section, whole, µs } from "./report";

const connections = 32;
const perRound = 4000;
const rounds = 9;
/** Rounds before the first that counts: until everything is compiled. */
const warmUp = 2;
const nobody = "bench-6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60";

interface Contender {
  readonly name: string;
  readonly program: Program;
  readonly requests: readonly Buffer[];
  /** Microseconds per request, round by round. */
  readonly cost: number[];
  readonly rate: number[];
}

const contender = (name: string, program: Program, requests: readonly Buffer[]): Contender => ({
  name,
  program,
  requests,
  cost: [],
  rate: [],
});

async function measure({ program, requests, cost, rate }: Contender, counts: boolean): Promise<void> {
  const load: Load = { port: program.ready.port, requests, connections, total: perRound, status: 202 };
  const before = await program.cpu();
  const seconds = await run(load);
  const after = await program.cpu();
  if (!counts) return;
  cost.push((after.own - before.own) / perRound);
  rate.push(perRound / seconds);
}

/** In turn, round by round, so that a machine whose speed drifts treats all alike. */
export async function benchHttp(progress: (line: string) => void): Promise<Section> {
  const gateway = await Gateway.start("gateway");
  const programs = [await Program.start("bare"), await Program.start("koa"), await Program.start("fastify")];
  const [bare, koa, fastify] = programs;
  if (!bare || !koa || !fastify) throw new Error("not started");
  const plain = [answer(nobody, "bench-0")];
  const base = contender("Koa + koa-body", koa, plain);
  const all = [
    contender("bare node:http", bare, plain),
    base,
    contender("Fastify, same schemas", fastify, plain),
    contender("Voicegate, answer", gateway.program, await answered(gateway, connections)),
  ];
  // Who would let this pass does not check what it is compared for.
  const wrong = [answer(nobody, "bench-0", { command_uid: 7 })];
  for (const { ready } of [fastify, gateway.program])
    await run({ port: ready.port, requests: wrong, connections: 1, total: 1, status: 400 });
  for (let round = -warmUp; round < rounds; round++) {
    for (const each of all) await measure(each, round >= 0);
    progress(`http: round ${Math.max(0, round + 1)} of ${rounds}`);
  }
  for (const program of programs) await program.stop();
  await gateway.stop();
  const figures = Object.fromEntries(
    all.map(({ name, cost, rate }) => {
      const ratio = median(cost.map((each, round) => each / (base.cost[round] ?? Number.NaN)));
      return [
        name,
        { cpu_us: median(cost), least_cpu_us: Math.min(...cost), ratio, requests_per_second: median(rate) },
      ];
    }),
  );
  return {
    title: `HTTP: POST …/commands/answer, ${connections} connections, ${rounds} rounds of ${perRound} requests, in turn`,
    columns: ["", "µs CPU", "least", "× Koa + koa-body", "req/s"],
    rows: Object.entries(figures).map(([name, { cpu_us, least_cpu_us, ratio, requests_per_second }]) => [
      name,
      µs(cpu_us),
      µs(least_cpu_us),
      ratio.toFixed(2),
      whole(requests_per_second),
    ]),
    notes: [
      "CPU time of the server's process per request: medians of the rounds, the ratio round by round. The load generator",
      "never sleeps, so that no server pays for waking it.",
      "All answer the same body under the same headers. Voicegate alone authenticates, counts, checks the call, hands the",
      "command to its engine, commits the result and writes a log line.",
    ],
    figures,
  };
}
