/** Many calls at once, each with a playback: what they cost, and how evenly their packets come. */
import { app_id, Callers } from "./callers";
import { Program } from "./process";
import { ms, percent, type Section, whole } from "./report";
import { hearing, hungUp, talking } from "./talking";

const calls = 300;
const seconds = 8;
/** The gateway's own, of 10 s: twice, so that it sounds from the first call's beginning until after the measurement. */
const tone = "/samples/tone.wav";

export async function benchMedia(progress: (line: string) => void): Promise<Section> {
  const callers = await Callers.open();
  const { gateway } = callers;
  const ears = await Program.start("ears");
  const urls = [tone, tone].map((path) => gateway.url + path);
  progress(`media: ${calls} calls are placed`);
  const placed = await talking(callers, ears, calls, (session_uuid) =>
    gateway.command(app_id, session_uuid, "playback/start", { urls }),
  );
  await callers.received("playback.started", calls);
  progress(`media: listening for ${seconds} s`);
  const { heard, cpu, media_cpu } = await hearing(callers, ears, seconds);
  await hungUp(placed);
  await callers.close();
  await ears.stop();
  const figures = { calls, cpu, media_cpu, ...heard };
  return {
    title: `Media: ${calls} calls at once, PCMU both ways, a file playing in each, ${seconds} s`,
    columns: ["", "p50 ms", "p99 ms", "worst ms"],
    rows: [["deviation of packet spacing from 20 ms", ms(heard.p50), ms(heard.p99), ms(heard.worst)]],
    notes: [
      `CPU of a core: gateway ${percent(cpu)}, media process ${percent(media_cpu)}.`,
      `${heard.packets} packets (${whole(heard.packets / seconds)} a second), ${heard.lost} lost.`,
      "Measured in the receiving process, between the moments in which it is given two packets of a call: what the machine",
      `and that process add is in it (its own timers were late by ${ms(heard.own)} ms at p99).`,
    ],
    figures,
  };
}
