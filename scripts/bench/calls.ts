/** How long it takes from an INVITE until the app knows of the call. */
import { Callers, paced } from "./callers";
import { ms, quantile, type Section, whole } from "./report";

const calls = 500;
const warmUp = 100;
const perSecond = 100;

/** Rings, and hangs up once the app has heard of it. */
async function ring(callers: Callers, name: string): Promise<number> {
  const { client, phone, took_ms } = await callers.place(name);
  await phone.response(180);
  phone.cancel();
  phone.ackRefusal(await phone.response(487));
  await client.close();
  return took_ms;
}

export async function benchCalls(progress: (line: string) => void): Promise<Section> {
  const callers = await Callers.open();
  const { program } = callers.gateway;
  progress(`calls: ${warmUp + calls} at ${perSecond} a second`);
  await paced(warmUp, perSecond, (i) => ring(callers, `early${i}`));
  const before = await program.cpu();
  const times = await paced(calls, perSecond, (i) => ring(callers, `caller${i}`));
  const after = await program.cpu();
  await callers.close();
  times.sort((a, b) => a - b);
  const figures = {
    calls,
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    worst_ms: quantile(times, 1),
    cpu_us: (after.own - before.own) / calls,
    media_cpu_us: (after.media - before.media) / calls,
  };
  return {
    title: `Calls: ${calls} by SIP over UDP, ${perSecond} a second`,
    columns: ["", "p50 ms", "p99 ms", "worst ms"],
    rows: [["INVITE sent → call.new at the receiver", ms(figures.p50_ms), ms(figures.p99_ms), ms(figures.worst_ms)]],
    notes: [
      "CPU of a call from its INVITE to its 487, two webhooks included: " +
        `gateway ${whole(figures.cpu_us)} µs, media process ${whole(figures.media_cpu_us)} µs.`,
      "Caller and receiver are one process with one clock: its own delays are in the figures.",
    ],
    figures,
  };
}
