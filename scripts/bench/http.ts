/** CPU time and latency of the whole command path, beside bare node:http, Koa + koa-body, and Fastify with the same admission. */
import { answer, answered, apps } from "./answered";
import { apiKey, Gateway } from "./gateway";
import { type Load, run } from "./load";
import { Program } from "./process";
import { Redis } from "./redis";
import { median, ms, quantile, type Section, whole, µs } from "./report";

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
  /** What it admits stays pending until it is told to settle it, which no round pays for. */
  readonly settles: boolean;
  readonly asksRedis: boolean;
  /** Round by round: microseconds per request, of the process and of Redis; requests a second; milliseconds. */
  readonly cost: number[];
  readonly redis: number[];
  readonly rate: number[];
  readonly p50: number[];
  readonly p99: number[];
}

type Made = Pick<Contender, "name" | "program" | "requests"> & Partial<Pick<Contender, "settles" | "asksRedis">>;

const contender = (made: Made): Contender => ({
  settles: false,
  asksRedis: false,
  ...made,
  cost: [],
  redis: [],
  rate: [],
  p50: [],
  p99: [],
});

async function measure(each: Contender, redis: Redis, counts: boolean): Promise<void> {
  const { program, requests, settles, cost, rate, p50, p99 } = each;
  const load: Load = { port: program.ready.port, requests, connections, total: perRound, status: 202 };
  const before = await program.cpu();
  const redisBefore = await redis.cpu();
  const { seconds, took } = await run(load);
  const redisAfter = await redis.cpu();
  const after = await program.cpu();
  if (settles) await program.ask({ ask: "settle" });
  if (!counts) return;
  cost.push((after.own - before.own) / perRound);
  each.redis.push((redisAfter - redisBefore) / perRound);
  rate.push(perRound / seconds);
  p50.push(quantile(took, 0.5));
  p99.push(quantile(took, 0.99));
}

/** Fastify that asks Redis before it answers; each request of a round is for another call, so that none has much pending. */
async function admitting(name: string, role: string, redis: Redis): Promise<Contender> {
  const program = await Program.start(role, redis.env());
  const requests: Buffer[] = [];
  for (const app_id of apps) {
    const calls = await program.ask({ ask: "calls", app_id, api_key: apiKey, calls: perRound / apps.length });
    for (const [i, session_uuid] of calls.entries())
      requests[i * apps.length + apps.indexOf(app_id)] = answer(session_uuid, app_id);
  }
  return contender({ name, program, requests, settles: true, asksRedis: true });
}

const koaName = "Koa + koa-body";
const sameName = "Fastify + one script, same admission";
const workName = "Fastify + RedisStore.admit, .commit";

/** In turn, round by round, so that a machine whose speed drifts treats all alike. */
export async function benchHttp(progress: (line: string) => void): Promise<Section> {
  const redis = await Redis.start();
  const memory = await Gateway.start("gateway");
  const withRedis = await Gateway.start("gateway", redis.env());
  const plain = [answer(nobody, "bench-0")];
  const fastify = contender({
    name: "Fastify, same schemas",
    program: await Program.start("fastify"),
    requests: plain,
  });
  const gateway = async (name: string, { program }: Gateway, at: Gateway, asksRedis: boolean) =>
    contender({ name, program, requests: await answered(at, connections), asksRedis });
  const all = [
    contender({ name: "bare node:http", program: await Program.start("bare"), requests: plain }),
    contender({ name: koaName, program: await Program.start("koa"), requests: plain }),
    fastify,
    await admitting("Fastify + one script, key and quota", "fastify-count", redis),
    await admitting(sameName, "fastify-script", redis),
    await admitting("Fastify + RedisStore.admit", "fastify-admit", redis),
    await admitting(workName, "fastify-commit", redis),
    await gateway("Voicegate, memory", memory, memory, false),
    await gateway("Voicegate, Redis", withRedis, withRedis, true),
  ];
  // Who would let this pass does not check what it is compared for.
  const wrong = [answer(nobody, "bench-0", { command_uid: 7 })];
  for (const { ready } of [fastify.program, memory.program, withRedis.program])
    await run({ port: ready.port, requests: wrong, connections: 1, total: 1, status: 400 });
  for (let round = -warmUp; round < rounds; round++) {
    for (const each of all) await measure(each, redis, round >= 0);
    progress(`http: round ${Math.max(0, round + 1)} of ${rounds}`);
  }
  for (const { program } of all) await program.stop();
  memory.hangUp();
  withRedis.hangUp();
  await redis.stop();
  return section(all);
}

function section(all: readonly Contender[]): Section {
  const ratio = ({ cost }: Contender, name: string) => {
    const base = all.find((other) => other.name === name)?.cost ?? [];
    return median(cost.map((each, round) => each / (base[round] ?? Number.NaN)));
  };
  const figures = Object.fromEntries(
    all.map((each) => [
      each.name,
      {
        cpu_us: median(each.cost),
        least_cpu_us: Math.min(...each.cost),
        redis_cpu_us: each.asksRedis ? median(each.redis) : 0,
        of_koa: ratio(each, koaName),
        of_same_admission: ratio(each, sameName),
        of_same_work: ratio(each, workName),
        p50_ms: median(each.p50),
        p99_ms: median(each.p99),
        requests_per_second: median(each.rate),
      },
    ]),
  );
  return {
    title: `HTTP: POST …/commands/answer, ${connections} connections, ${rounds} rounds of ${perRound} requests, in turn`,
    columns: ["", "µs CPU", "least", "µs Redis", "× Koa", "× same admission", "× .commit", "p50 ms", "p99 ms", "req/s"],
    rows: Object.entries(figures).map(([name, each]) => [
      name,
      µs(each.cpu_us),
      µs(each.least_cpu_us),
      each.redis_cpu_us === 0 ? "" : µs(each.redis_cpu_us),
      each.of_koa.toFixed(2),
      each.of_same_admission.toFixed(2),
      each.of_same_work.toFixed(2),
      ms(each.p50_ms),
      ms(each.p99_ms),
      whole(each.requests_per_second),
    ]),
    notes: [
      "CPU time of the server's process per request, and that of Redis beside it: medians of the rounds, ratios round by",
      "round. The load generator never sleeps, so that no server pays for waking it; on few cores it takes one of them.",
      "All answer the same body under the same headers. The admission is in all of them: key, quota, call, owner, uid,",
      "guards, cooldown, pending operation with its deadline; once as one would write it for Fastify alone (one EVALSHA of",
      "ioredis, one packed argument), once the gateway's own. With .commit Fastify also writes the command's result as the",
      "gateway does. Voicegate alone hands the command to its engine, meters, checks answers by sample, writes a log line.",
    ],
    figures,
  };
}
