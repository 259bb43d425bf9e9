/** An embedded engine with everything around it, as small as it goes: no store, no API. */

import { EmbeddedEngine, type EmbeddedOptions } from "../../src/engines/embedded/embedded";
import { createLog, type Log } from "../../src/log";
import { MediaFiles } from "../../src/media/files";
import { FileServer } from "./files";
import { Recorder } from "./recorder";

export interface EmbeddedPlace {
  readonly engine: EmbeddedEngine;
  readonly recorder: Recorder;
  readonly files: FileServer;
  close(): Promise<void>;
}

export const silent: Log = createLog("silent");

export const sipOptions = { host: "127.0.0.1", port: 0, publicHost: null, users: null } as const;

export const embeddedOptions = {
  sip: sipOptions,
  rtp: { portMin: 20_000, portMax: 32_000, timeoutMs: 30_000 },
  commandTimeoutMs: 2000,
  recordingMaxMs: 60_000,
  log: silent,
} as const satisfies Partial<EmbeddedOptions>;

export async function openEmbedded(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedPlace> {
  const files = new FileServer();
  await files.listen();
  const media = new MediaFiles({ allowLocalhost: true, log: silent });
  await media.start();
  const engine = new EmbeddedEngine({ ...embeddedOptions, media, ...options });
  const recorder = new Recorder();
  const close = async () => {
    await engine.close();
    await media.close();
    await files.close();
  };
  await engine.start(recorder);
  return { engine, recorder, files, close };
}
