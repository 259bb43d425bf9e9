/** The decoding thread. Gets `DecodeRequest`s, answers each job with one `DecodeReply`. */
import { setImmediate as nextRound } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { type DecodeJob, decodeFile, type Mp3Decoder } from "./decode";
import { Undecodable } from "./source";

export type DecodeRequest = { readonly decode: DecodeJob } | { readonly cancel: number };
export type DecodeReply = { readonly id: number } & (
  | { readonly samples: number }
  | { readonly failure: Undecodable["reason"] }
  /** Its files are closed. */
  | { readonly cancelled: true }
  /** Not the file's fault: the disk is full. */
  | { readonly broken: string }
);
export interface DecodeData {
  /** [0]: the job in hand, 0 = none; [1]: goes up with each step. What a thread that crashed or hangs cannot say. */
  readonly progress: Int32Array;
  /** Time of this thread that one job may take. */
  readonly jobMs: number;
}

interface Running {
  readonly job: DecodeJob;
  readonly steps: AsyncGenerator<undefined, number, undefined>;
  spentMs: number;
}

// The module is ESM only. It reports each bad frame to the console, in a loop that need not end: so a file with many
// is given up here.
const maxBadFrames = 100;
let badFrames = 0;
console.error = () => {
  badFrames += 1;
  if (badFrames > maxBadFrames) throw new Undecodable("unsupported_format");
};
async function openMp3(): Promise<Mp3Decoder> {
  const { MPEGDecoder } = await import("mpg123-decoder");
  const decoder = new MPEGDecoder();
  await decoder.ready;
  return {
    decode: (frames) => {
      badFrames = 0;
      return decoder.decode(frames);
    },
    free: () => decoder.free(),
  };
}

const port = parentPort;
if (!port) throw new Error("the decoder runs in a thread of its own");
// Written by `Decoder` of this folder, in this shape.
const { progress, jobMs } = workerData as DecodeData;
const running = new Map<number, Running>();
let turning = false;

port.on("message", (request: DecodeRequest) => {
  if ("cancel" in request) {
    const cancelled = running.get(request.cancel);
    if (cancelled) void cancel(cancelled);
    return;
  }
  const { decode: job } = request;
  running.set(job.id, { job, steps: decodeFile(job, openMp3), spentMs: 0 });
  if (!turning) void turn();
});

/** Always a step of the job that had least time so far: short files are done first, and long ones share the rest. */
async function turn(): Promise<void> {
  turning = true;
  for (;;) {
    let next: Running | null = null;
    for (const each of running.values()) if (!next || each.spentMs < next.spentMs) next = each;
    if (!next) break;
    Atomics.store(progress, 0, next.job.id);
    Atomics.add(progress, 1, 1);
    const began = performance.now();
    const reply = await step(next);
    next.spentMs += performance.now() - began;
    // Unless it was cancelled meanwhile.
    if (reply && running.delete(next.job.id)) port?.postMessage(reply);
    // Lets messages in.
    await nextRound();
  }
  Atomics.store(progress, 0, 0);
  turning = false;
}

/** Answers when the step in hand is done and the files are closed. */
async function cancel({ job: { id }, steps }: Running): Promise<void> {
  running.delete(id);
  const reply: DecodeReply = await steps.return(0).then(
    () => ({ id, cancelled: true }),
    (error: unknown) => ({ id, broken: String(error) }),
  );
  port?.postMessage(reply);
}

async function step({ job, steps, spentMs }: Running): Promise<DecodeReply | null> {
  const { id } = job;
  try {
    if (spentMs > jobMs) {
      await steps.return(0);
      return { id, failure: "timeout" };
    }
    const { done, value } = await steps.next();
    return done ? { id, samples: value ?? 0 } : null;
  } catch (error) {
    return error instanceof Undecodable ? { id, failure: error.reason } : { id, broken: String(error) };
  }
}
