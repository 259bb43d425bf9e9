/** The decoding thread as it is, but a file named "crash" kills it and one named "hang" keeps it for ever. */
import { parentPort, workerData } from "node:worker_threads";
import "../../src/media/decode-worker";
import type { DecodeData, DecodeRequest } from "../../src/media/decode-worker";

const { progress }: DecodeData = workerData;
parentPort?.on("message", (request: DecodeRequest) => {
  if (!("decode" in request)) return;
  const { id, source } = request.decode;
  if (!/crash|hang/.test(source)) return;
  Atomics.store(progress, 0, id);
  if (source.endsWith("crash")) throw new Error("killed by a file");
  for (;;) Atomics.load(progress, 0);
});
