/** Webhooks: how many a second, and what each costs, from the event of a media server to its settlement. */
import { Gateway } from "./gateway";
import { Program } from "./process";
import { median, type Section, whole, µs } from "./report";

/** More calls than connections, so that one event under way per call never keeps a connection idle. */
const calls = 256;
const keys = 30;
const rounds = 3;
const events = calls * keys;

/** What so many keys cost: the first ones are not counted, as nothing is compiled yet. */
async function cost(gateway: Gateway, delivered: (round: number) => Promise<unknown>) {
  const spent: number[] = [];
  const rate: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = await gateway.program.cpu();
    const begin = performance.now();
    await gateway.program.ask({ ask: "press", calls, keys });
    await delivered(round);
    const seconds = (performance.now() - begin) / 1000;
    const after = await gateway.program.cpu();
    if (round === 0) continue;
    spent.push((after.own - before.own) / events);
    rate.push(events / seconds);
  }
  return { cpu_us: median(spent), per_second: median(rate) };
}

export async function benchDeliveries(progress: (line: string) => void): Promise<Section> {
  const endpoint = await Program.start("endpoint");
  const gateway = await Gateway.start("events");
  progress("deliveries: events that nobody wants");
  await gateway.putApp("bench", { webhook_url: "", dids: ["*"] });
  const silent = await cost(gateway, async () => undefined);
  progress(`deliveries: ${events} events, ${rounds} times`);
  await gateway.putApp("bench", { webhook_url: `http://127.0.0.1:${endpoint.ready.port}/`, dids: ["*"] });
  const sent = await cost(gateway, (round) => endpoint.ask({ ask: "received", events: (round + 1) * events }));
  await gateway.stop();
  await endpoint.stop();
  const figures = {
    per_second: sent.per_second,
    cpu_us: sent.cpu_us - silent.cpu_us,
    event_cpu_us: silent.cpu_us,
    whole_cpu_us: sent.cpu_us,
  };
  return {
    title: `Deliveries: ${events} signed webhooks of ${calls} calls, 64 connections at once, to a receiver in another process`,
    columns: ["", "webhooks/s", "µs CPU"],
    rows: [
      ["an event, committed and not wanted", "", µs(figures.event_cpu_us)],
      ["its delivery: taken, signed, sent, answered, settled", whole(figures.per_second), µs(figures.cpu_us)],
    ],
    notes: ["CPU time of the gateway's process. One app, one endpoint, in order per call."],
    figures,
  };
}
