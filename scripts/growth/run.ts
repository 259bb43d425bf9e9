/** Many calls, one after the other and some at a time; and what is held before the first and after the last. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Gateway } from "../bench/gateway";
import type { Sizes } from "../bench/process";
import { app_id, callsOf, type Scene } from "./calls";
import { Receiver } from "./receiver";
import { compare, type Row } from "./verdict";

export interface GrowthOptions {
  readonly calls: number;
  readonly atOnce: number;
  /** Before the first that counts: until everything is compiled, and every pool has its size. */
  readonly warmUp: number;
  /** Some come by SIP. */
  readonly sip: boolean;
  readonly progress: (line: string) => void;
}

export interface Growth {
  readonly rows: readonly Row[];
  readonly grown: boolean;
  readonly seconds: number;
}

/** Past every retention: of events and uids, which is a day, and of dead letters, which is a week. */
const ageMs = 8 * 86_400_000;
/** More than calls, deliveries and fetches ever have at a time. */
const connections = 256;
const reported = 1000;

export async function growth(options: GrowthOptions): Promise<Growth> {
  const { calls, warmUp, progress } = options;
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-growth-"));
  const receiver = new Receiver();
  const gateway = await Gateway.start("growing", {
    RECORDING_DIR: folder,
    RECORDING_BASE_URL: "http://recordings.example",
  });
  try {
    await gateway.putApp(app_id, { webhook_url: `http://127.0.0.1:${await receiver.listen()}/`, dids: ["*"] });
    await connected(gateway);
    const measure = async (from: number, count: number): Promise<Sizes> => {
      await round(gateway, receiver, from, count, options);
      gateway.hangUp();
      const open = await gateway.program.ask({ ask: "settle" });
      if (open.length > 0) progress(`minutes after the last call there still is: ${open.join(", ")}`);
      await gateway.program.ask({ ask: "age", ms: ageMs });
      const files = (await readdir(folder, { recursive: true })).length;
      return { ...(await gateway.program.ask({ ask: "measure" })), "files in the recordings folder": files };
    };
    const before = await measure(0, warmUp);
    progress(`${warmUp} calls to warm up are over`);
    const begin = performance.now();
    const after = await measure(warmUp, calls);
    const seconds = (performance.now() - begin) / 1000;
    const rows = compare(before, after, calls);
    return { rows, grown: rows.some((row) => row.grown), seconds };
  } finally {
    await gateway.stop();
    await receiver.close();
    await rm(folder, { recursive: true });
  }
}

/**
 * So many requests at a time. Node keeps a parser, of two objects, for as many connections as there once were together,
 * up to a thousand: when the machine is busy a later call may be the first that needs one more.
 */
async function connected(gateway: Gateway): Promise<void> {
  const asked = Array.from({ length: connections }, () => gateway.app(app_id, "GET", "/sessions"));
  for (const { status, text } of await Promise.all(asked))
    if (status !== 200) throw new Error(`no list of calls: ${status} ${text}`);
}

/** With a room of its own that is there from the first of these calls to the last. */
async function round(
  gateway: Gateway,
  receiver: Receiver,
  from: number,
  count: number,
  { atOnce, sip, progress }: GrowthOptions,
): Promise<void> {
  const made = await gateway.app(app_id, "POST", "/conferences", { name: `from-${from}` });
  if (made.status !== 201) throw new Error(`no room: ${made.status} ${made.text}`);
  const { room_id } = JSON.parse(made.text);
  const scene: Scene = { gateway, receiver, room_id };
  const kinds = callsOf(sip);
  let next = from;
  let over = 0;
  const caller = async (): Promise<void> => {
    for (let i = next++; i < from + count; i = next++) {
      const call = kinds[i % kinds.length];
      await call?.(scene, i);
      over += 1;
      if (over % reported === 0) progress(`${over} of ${count} calls`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const closed = await gateway.app(app_id, "DELETE", `/conferences/${room_id}`);
  if (closed.status !== 204) throw new Error(`room not closed: ${closed.status} ${closed.text}`);
}
