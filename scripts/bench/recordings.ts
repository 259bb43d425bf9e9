/** Many recordings at once: what writing them costs, and whether the packets of the calls come as evenly. */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { app_id, Callers } from "./callers";
import { Program } from "./process";
import { ms, percent, type Section, whole } from "./report";
import { hearing, hungUp, talking } from "./talking";

const calls = 200;
const seconds = 8;

async function bytesOf(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export async function benchRecordings(progress: (line: string) => void): Promise<Section> {
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-bench-"));
  const callers = await Callers.open({ RECORDING_DIR: folder, RECORDING_BASE_URL: "http://recordings.example" });
  const ears = await Program.start("ears");
  progress(`recordings: ${calls} calls are placed`);
  const placed = await talking(callers, ears, calls, (session_uuid) =>
    callers.gateway.command(app_id, session_uuid, "record/start"),
  );
  progress(`recordings: listening for ${seconds} s`);
  const before = await bytesOf(folder);
  const begin = performance.now();
  const { heard, cpu, media_cpu } = await hearing(callers, ears, seconds);
  const per_second = (await bytesOf(folder)) - before;
  const bytes_per_second = (per_second * 1000) / (performance.now() - begin);
  await hungUp(placed);
  await callers.received("recording.completed", calls);
  await callers.close();
  await ears.stop();
  await rm(folder, { recursive: true });
  return {
    title: `Recordings: ${calls} calls recorded at once, PCMU both ways, ${seconds} s`,
    columns: ["", "p50 ms", "p99 ms", "worst ms"],
    rows: [["deviation of packet spacing from 20 ms", ms(heard.p50), ms(heard.p99), ms(heard.worst)]],
    notes: [
      `CPU of a core: gateway ${percent(cpu)}, media process ${percent(media_cpu)}.`,
      `Disk: ${whole(bytes_per_second / 1024)} KiB a second (${calls} × 31.25 KiB is what stereo of 16 bit at 8 kHz takes).`,
      `${heard.packets} packets, ${heard.lost} lost; the receiving process's own timers were late by ${ms(heard.own)} ms at p99.`,
    ],
    figures: { calls, cpu, media_cpu, bytes_per_second, ...heard },
  };
}
