/** Many callers in one room: what it costs to let each hear all others, and how evenly they do. */
import { app_id, Callers } from "./callers";
import { Program } from "./process";
import { ms, percent, type Section, whole } from "./report";
import { hearing, hungUp, talking } from "./talking";

const calls = 200;
const seconds = 8;

export async function benchRooms(progress: (line: string) => void): Promise<Section> {
  const callers = await Callers.open();
  const ears = await Program.start("ears");
  progress(`rooms: ${calls} calls are placed`);
  const placed = await talking(callers, ears, calls);
  const made = await callers.gateway.app(app_id, "POST", "/conferences", { name: "full" });
  const { room_id } = JSON.parse(made.text);
  for (const { session_uuid } of placed)
    await callers.gateway.command(app_id, session_uuid, "conference/join", { room_id });
  await callers.received("conference.member.joined", calls);
  progress(`rooms: listening for ${seconds} s`);
  const { heard, cpu, media_cpu } = await hearing(callers, ears, seconds);
  await hungUp(placed);
  await callers.close();
  await ears.stop();
  return {
    title: `Rooms: ${calls} callers in one room, PCMU both ways, ${seconds} s`,
    columns: ["", "p50 ms", "p99 ms", "worst ms"],
    rows: [["deviation of packet spacing from 20 ms", ms(heard.p50), ms(heard.p99), ms(heard.worst)]],
    notes: [
      `CPU of a core: gateway ${percent(cpu)}, media process ${percent(media_cpu)}.`,
      `${heard.packets} packets (${whole(heard.packets / seconds)} a second), ${heard.lost} lost; ` +
        `the receiving process's own timers were late by ${ms(heard.own)} ms at p99.`,
    ],
    figures: { calls, cpu, media_cpu, ...heard },
  };
}
