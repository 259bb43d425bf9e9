/** Many calls at once, each with a playback: what they cost, and how evenly their packets come. */
import { setTimeout as delay } from "node:timers/promises";
import { app_id, Callers, type Placed, paced } from "./callers";
import { Program } from "./process";
import { ms, percent, type Section, whole } from "./report";

const calls = 300;
const perSecond = 60;
const seconds = 8;
/** The gateway's own, of 10 s: twice, so that it sounds from the first call's beginning until after the measurement. */
const tone = "/samples/tone.wav";

interface Talking extends Placed {
  /** Where the gateway hears this call. */
  readonly port: number;
}

export async function benchMedia(progress: (line: string) => void): Promise<Section> {
  const callers = await Callers.open();
  const { gateway } = callers;
  const ears = await Program.start("ears");
  const urls = [tone, tone].map((path) => gateway.url + path);
  progress(`media: ${calls} calls are placed`);
  const placed = await paced(calls, perSecond, async (i): Promise<Talking> => {
    const call = await callers.place(`caller${i}`, ears.ready.port);
    await gateway.command(app_id, call.session_uuid, "answer");
    const { body } = await call.phone.response(200);
    call.phone.ack();
    await gateway.command(app_id, call.session_uuid, "playback/start", { urls });
    return { ...call, port: Number(/m=audio (\d+) /.exec(body)?.[1]) };
  });
  await callers.received("playback.started", calls);
  await ears.ask({ ask: "speak", ports: placed.map(({ port }) => port) });
  // Until the rush of the beginning is over.
  await delay(1000);
  progress(`media: listening for ${seconds} s`);
  const before = await gateway.program.cpu();
  const begin = performance.now();
  const heard = await ears.ask({ ask: "listen", seconds });
  const after = await gateway.program.cpu();
  const passed = (performance.now() - begin) * 1000;
  for (const { client, phone } of placed) {
    phone.send("BYE");
    await phone.response(200, "BYE");
    await client.close();
  }
  await callers.close();
  await ears.stop();
  const figures = {
    calls,
    cpu: (after.own - before.own) / passed,
    media_cpu: (after.media - before.media) / passed,
    ...heard,
  };
  return {
    title: `Media: ${calls} calls at once, PCMU both ways, a file playing in each, ${seconds} s`,
    columns: ["", "p50 ms", "p99 ms", "worst ms"],
    rows: [["deviation of packet spacing from 20 ms", ms(heard.p50), ms(heard.p99), ms(heard.worst)]],
    notes: [
      `CPU of a core: gateway ${percent(figures.cpu)}, media process ${percent(figures.media_cpu)}.`,
      `${heard.packets} packets (${whole(heard.packets / seconds)} a second), ${heard.lost} lost.`,
      "Measured in the receiving process, between the moments in which it is given two packets of a call: what the machine",
      `and that process add is in it (its own timers were late by ${ms(heard.own)} ms at p99).`,
    ],
    figures,
  };
}
