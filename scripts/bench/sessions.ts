/** Does a command cost more the more calls there are? The same command, with more and more live calls in the store. */
import { answered, apps } from "./answered";
import { Gateway } from "./gateway";
import { run } from "./load";
import { median, type Section, whole, µs } from "./report";

const connections = 32;
const perRound = 4000;
const rounds = 7;
/** Rounds before the first that counts: until everything is compiled. */
const warmUp = 2;
/** Live calls of the same apps, beside those that are commanded. */
const steps = [1, 1000, 50_000];

interface Crowd {
  readonly sessions: number;
  readonly gateway: Gateway;
  readonly requests: readonly Buffer[];
  readonly cost: number[];
  readonly rate: number[];
}

async function crowd(sessions: number): Promise<Crowd> {
  const gateway = await Gateway.start("gateway");
  const requests = await answered(gateway, connections);
  for (const app_id of apps)
    await gateway.program.ask({ ask: "fill", app_id, sessions: Math.ceil(sessions / apps.length) });
  return { sessions, gateway, requests, cost: [], rate: [] };
}

async function measure({ gateway, requests, cost, rate }: Crowd, counts: boolean): Promise<void> {
  const { program } = gateway;
  const before = await program.cpu();
  const seconds = await run({ port: program.ready.port, requests, connections, total: perRound, status: 202 });
  const after = await program.cpu();
  if (!counts) return;
  cost.push((after.own - before.own) / perRound);
  rate.push(perRound / seconds);
}

/** Each has its own gateway, in turn, so that a machine whose speed drifts treats all alike. */
export async function benchSessions(progress: (line: string) => void): Promise<Section> {
  const crowds: Crowd[] = [];
  for (const sessions of steps) crowds.push(await crowd(sessions));
  for (let round = -warmUp; round < rounds; round++) {
    for (const each of crowds) await measure(each, round >= 0);
    progress(`sessions: round ${Math.max(0, round + 1)} of ${rounds}`);
  }
  for (const { gateway } of crowds) await gateway.stop();
  const [base] = crowds;
  const measured = crowds.map(({ sessions, cost, rate }) => {
    const ratio = median(cost.map((each, round) => each / (base?.cost[round] ?? Number.NaN)));
    return { sessions, cpu_us: median(cost), ratio, per_second: median(rate) };
  });
  return {
    title: `Sessions: POST …/commands/answer, ${connections} connections, ${rounds} rounds of ${perRound} requests`,
    columns: ["live calls in the store", "commands/s", "µs CPU", "× the first"],
    rows: measured.map(({ sessions, cpu_us, ratio, per_second }) => [
      String(sessions),
      whole(per_second),
      µs(cpu_us),
      ratio.toFixed(2),
    ]),
    notes: ["CPU time of the gateway's process per command: medians of the rounds, the ratio round by round."],
    figures: Object.fromEntries(measured.map(({ sessions, ...figures }) => [sessions, figures])),
  };
}
