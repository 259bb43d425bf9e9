/** A media link over a real child, and what it tells, to be awaited. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SoundFile } from "../../src/engines/control/media_server";
import { type MediaHandler, MediaLink, type MediaOptions, type Remote } from "../../src/engines/embedded/media/link";
import { createLog } from "../../src/log";
import { wavHeader } from "../../src/wav";
import { Arrivals } from "./arrivals";

export type Told =
  | { readonly told: "digit"; readonly call: string; readonly digit: string; readonly duration_ms: number }
  | { readonly told: "played"; readonly target: string; readonly play: number; readonly offset_ms: number }
  | { readonly told: "play_failed"; readonly target: string; readonly play: number }
  | { readonly told: "recorded"; readonly call: string; readonly recording_id: string; readonly failure: string | null }
  | { readonly told: "timeout"; readonly call: string }
  | { readonly told: "pressed"; readonly call: string; readonly step: number }
  | { readonly told: "lost" };

function subject(word: Told): string | null {
  return "call" in word ? word.call : "target" in word ? word.target : null;
}

/** Keeps all that is told, in order. */
export class Listener extends Arrivals<Told> implements MediaHandler {
  onDigit(call: string, digit: string, duration_ms: number): void {
    this.push({ told: "digit", call, digit, duration_ms });
  }
  onPlayed(target: string, play: number, offset_ms: number): void {
    this.push({ told: "played", target, play, offset_ms });
  }
  onPlayFailed(target: string, play: number): void {
    this.push({ told: "play_failed", target, play });
  }
  onRecorded(call: string, recording_id: string, failure: string | null): void {
    this.push({ told: "recorded", call, recording_id, failure });
  }
  onTimeout(call: string): void {
    this.push({ told: "timeout", call });
  }
  onPressed(call: string, step: number): void {
    this.push({ told: "pressed", call, step });
  }
  onLost(): void {
    this.push({ told: "lost" });
  }

  /** The first word of this kind (about this call or room). */
  first(told: Told["told"], name?: string): Promise<Told> {
    return this.find((word) => word.told === told && (name === undefined || subject(word) === name));
  }

  about(name: string): Told[] {
    return this.all.filter((word) => subject(word) === name);
  }

  /** The digits of a call so far, with their durations: "1:100 2:80". */
  digits(call: string): string {
    return this.about(call)
      .flatMap((word) => (word.told === "digit" ? [`${word.digit}:${word.duration_ms}`] : []))
      .join(" ");
  }
}

/** A line of the log, as it was written. */
export type Line = Readonly<Record<string, unknown>>;

/** A started link with its listener, its log, and a folder for files. */
export class Media {
  private constructor(
    readonly link: MediaLink,
    readonly listener: Listener,
    readonly lines: Arrivals<Line>,
    private readonly folder: string,
  ) {}

  static async start(options: Partial<Omit<MediaOptions, "log">> = {}): Promise<Media> {
    const listener = new Listener();
    const lines = new Arrivals<Line>();
    const log = createLog("debug", { write: (line) => lines.push(JSON.parse(line)) });
    const defaults = { host: "127.0.0.1", portMin: 40_000, portMax: 48_000, rtpTimeoutMs: 30_000, ackTimeoutMs: 5_000 };
    const link = new MediaLink({ ...defaults, ...options, log }, listener);
    await link.start();
    return new Media(link, listener, lines, await mkdtemp(join(tmpdir(), "media-")));
  }

  /** Writes samples as the file that a play wants, head and all. */
  async file(name: string, pcm: Int16Array): Promise<SoundFile> {
    const path = join(this.folder, name);
    const samples = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    await writeFile(path, Buffer.concat([wavHeader(1, samples.length), samples]));
    return { path, samples: pcm.length };
  }

  async end(): Promise<void> {
    await this.link.shutdown();
    await rm(this.folder, { recursive: true });
  }
}

/** What a plain SIP telephone negotiates. */
export function remote(port: number, changes: Partial<Remote> = {}): Remote {
  return { address: "127.0.0.1", port, payload: 0, dtmfPayload: 101, ptime: 20, send: true, receive: true, ...changes };
}

export function sine(hz: number, ms: number, amplitude = 10_000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, at) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / 8000)),
  );
}

/** An even port that is free, and not among those that the system gives to others of itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + 2 * Math.floor(Math.random() * 5_000);
    const socket = createSocket("udp4");
    const free = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => resolve(true));
    });
    socket.close();
    await once(socket, "close");
    if (free) return port;
  }
}
