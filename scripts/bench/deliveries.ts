/** Webhooks: how many a second, and what each costs, from the event of a media server to its settlement. */
import { Gateway } from "./gateway";
import { Program } from "./process";
import { median, type Section, whole, µs } from "./report";
import { type UnderStore, withEach } from "./stores";

/** More calls than connections, so that one event under way per call never keeps a connection idle. */
const calls = 256;
const keys = 30;
const did = "100";
const rounds = 5;
const events = calls * keys;

interface Cost {
  readonly cpu_us: number;
  readonly store_cpu_us: number;
  readonly per_second: number;
}

/** What so many keys cost: the first ones are not counted, as nothing is compiled yet. */
async function cost(gateway: Gateway, store: UnderStore, done: (round: number) => Promise<unknown>): Promise<Cost> {
  const spent: number[] = [];
  const storeSpent: number[] = [];
  const rate: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = await gateway.program.cpu();
    const storeBefore = await store.cpu();
    const begin = performance.now();
    await gateway.program.ask({ ask: "press", did, calls, keys });
    await done(round);
    const seconds = (performance.now() - begin) / 1000;
    const storeAfter = await store.cpu();
    const after = await gateway.program.cpu();
    if (round === 0) continue;
    spent.push((after.own - before.own) / events);
    storeSpent.push((storeAfter - storeBefore) / events);
    rate.push(events / seconds);
  }
  return { cpu_us: median(spent), store_cpu_us: median(storeSpent), per_second: median(rate) };
}

interface Measured {
  readonly name: UnderStore["name"];
  readonly silent: Cost;
  readonly sent: Cost;
}

async function measured(store: UnderStore, progress: (line: string) => void): Promise<Measured> {
  const { name } = store;
  const endpoint = await Program.start("endpoint");
  const gateway = await Gateway.start("events", store.env());
  progress(`deliveries, ${name}: events that nobody wants`);
  await gateway.putApp("bench", { webhook_url: "", dids: ["*"] });
  const committed = () => gateway.program.ask({ ask: "committed", did });
  const silent = await cost(gateway, store, committed);
  progress(`deliveries, ${name}: ${events} events, ${rounds} times`);
  await gateway.putApp("bench", { webhook_url: `http://127.0.0.1:${endpoint.ready.port}/`, dids: ["*"] });
  const sent = await cost(gateway, store, (round) => endpoint.ask({ ask: "received", events: (round + 1) * events }));
  await gateway.stop();
  await endpoint.stop();
  return { name, silent, sent };
}

export async function benchDeliveries(progress: (line: string) => void): Promise<Section> {
  const all = await withEach((store) => measured(store, progress));
  const figures = Object.fromEntries(
    all.map(({ name, silent, sent }) => {
      const cpu_us = sent.cpu_us - silent.cpu_us;
      return [
        name,
        {
          per_second: sent.per_second,
          cpu_us,
          per_core: 1e6 / cpu_us,
          store_cpu_us: sent.store_cpu_us - silent.store_cpu_us,
          event_cpu_us: silent.cpu_us,
          event_store_cpu_us: silent.store_cpu_us,
          whole_cpu_us: sent.cpu_us,
          whole_store_cpu_us: sent.store_cpu_us,
        },
      ];
    }),
  );
  return {
    title: `Deliveries: ${events} signed webhooks of ${calls} calls, 64 connections at once, to a receiver in another process`,
    columns: ["", "webhooks/s", "µs CPU", "µs Redis", "a second and core"],
    rows: Object.entries(figures).flatMap(([name, each]) => [
      [`${name}: an event, committed and not wanted`, "", µs(each.event_cpu_us), µs(each.event_store_cpu_us), ""],
      [
        `${name}: its delivery: taken, signed, sent, answered, settled`,
        whole(each.per_second),
        µs(each.cpu_us),
        µs(each.store_cpu_us),
        whole(each.per_core),
      ],
      [`${name}: both`, "", µs(each.whole_cpu_us), µs(each.whole_store_cpu_us), whole(1e6 / each.whole_cpu_us)],
    ]),
    notes: [
      "CPU time of the gateway's process, and that of Redis beside it: medians of the rounds. One app, one endpoint, in",
      "order per call. By the core of the gateway; on two cores the receiver and Redis have theirs out of the same.",
    ],
    figures,
  };
}
