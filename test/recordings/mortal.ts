/**
 * A gateway's recordings in a process of their own, in the folder that it is given: one recording has begun, and half a
 * sample too much of it is on the disk. It says its id and waits to be killed.
 */
import { writeFileSync } from "node:fs";
import { createLog } from "../../src/log";
import { Recordings } from "../../src/recordings/recordings";
import { baseUrl, call, wav } from "./place";

const recordings = new Recordings({
  dir: process.argv[2] ?? "",
  baseUrl,
  uploadUrl: null,
  retentionDays: 0,
  retrySeconds: 300,
  completed: () => Promise.reject(new Error("nobody to tell")),
  log: createLog("silent"),
});
void recordings
  .start()
  .then(() => recordings.begin(call))
  .then(({ recording_id, path }) => {
    writeFileSync(path, Buffer.concat([wav(12_000, 8000), Buffer.from([1, 2])]));
    process.stdout.write(`${recording_id}\n`);
    process.stdin.resume();
  });
