/** An engine at a replayed FreeSWITCH, with everything around it. */
import { setTimeout as delay } from "node:timers/promises";
import type { EngineEvent, ScriptStep } from "../../src/engines/engine";
import { FreeswitchEngine, type FreeswitchOptions } from "../../src/engines/freeswitch/freeswitch";
import { MediaFiles } from "../../src/media/files";
import { FileServer } from "../engine/files";
import { silent } from "../engine/place";
import { Recorder } from "../engine/recorder";
import { run } from "../engine/suite";
import type { ReplayChannel } from "./channel";
import { FreeswitchReplay } from "./replay";

export interface FreeswitchPlace {
  readonly replay: FreeswitchReplay;
  readonly engine: FreeswitchEngine;
  readonly recorder: Recorder;
  readonly files: FileServer;
  /** Calls, waits until it rings, and does what the script says. */
  call(script: readonly ScriptStep[]): Promise<string>;
  channel(session_uuid: string): ReplayChannel;
  close(): Promise<void>;
}

/** Fast where a real one has seconds. */
export const timings = { quietMs: 300, overdueMs: 500, retryMs: 5, longestRetryMs: 50, hopelessRetryMs: 100 };
const caller = { caller_id: "4930123", did: "1000" };

export async function openReplayed(options: Partial<FreeswitchOptions> = {}): Promise<FreeswitchPlace> {
  const replay = new FreeswitchReplay();
  await replay.listen();
  const files = new FileServer();
  await files.listen();
  const media = new MediaFiles({ allowLocalhost: true, log: silent });
  await media.start();
  const engine = new FreeswitchEngine({
    node: "fs1",
    host: "127.0.0.1",
    port: replay.port,
    password: replay.password,
    commandTimeoutMs: 2000,
    recordingMaxMs: 60_000,
    media,
    log: silent,
    timings,
    ...options,
  });
  const recorder = new Recorder();
  engine.reads(true);
  await engine.start(recorder);
  await connected(engine);
  const scripts: Promise<void>[] = [];
  return {
    replay,
    engine,
    recorder,
    files,
    async call(script) {
      const calls = recorder.offers.length;
      const channel = replay.call(caller);
      const { session_uuid } = await recorder.offered(calls + 1);
      while (!channel.ringing) await delay(1);
      scripts.push(follow(script, channel, recorder, session_uuid));
      return session_uuid;
    },
    channel(session_uuid) {
      const channel = replay.channels.get(session_uuid.slice(engine.node.length + 1));
      if (!channel) throw new Error("that call is over");
      return channel;
    },
    async close() {
      await engine.close();
      await media.close();
      await replay.close();
      await files.close();
      if (replay.beyond.length > 0) throw new Error(`a real one would differ: ${replay.beyond.join(", ")}`);
    },
  };
}

/** A call that was answered. */
export async function answeredAt(place: FreeswitchPlace): Promise<string> {
  const session_uuid = await place.call([]);
  await run(place, "answer", session_uuid, {});
  await place.recorder.event(session_uuid, "answered");
  return session_uuid;
}

/** All that was commanded of one call or room, without the name of it. */
export function commandsAt({ replay }: FreeswitchPlace, id: string): string[] {
  const name = id.replace(/^fs1-(?!room)/, "");
  return replay.commands.filter((command) => command.includes(name)).map((command) => command.replaceAll(name, "X"));
}

/** Resolves when it is. */
export async function connected(engine: FreeswitchEngine): Promise<void> {
  while (!engine.connected()) await delay(2);
}

/** What a `wait_for` calls them. */
const names: { readonly [T in EngineEvent["type"]]?: readonly string[] } = {
  answered: ["call.answered", "command.result"],
  dtmf: ["dtmf"],
  "playback.started": ["playback.started", "command.result"],
  "playback.stopped": ["playback.stopped"],
  "playback.file_not_found": ["playback.file_not_found"],
  "digits.started": ["command.result"],
};

async function follow(
  script: readonly ScriptStep[],
  channel: ReplayChannel,
  recorder: Recorder,
  session_uuid: string,
): Promise<void> {
  let seen = 0;
  const heard: string[] = ["call.new"];
  const waitFor = async (name: string) => {
    for (;;) {
      for (let next = heard.shift(); next !== undefined; next = heard.shift()) if (next === name) return;
      const { type } = await recorder.at(session_uuid, seen++);
      heard.push(...(names[type] ?? []));
    }
  };
  for (const step of script) {
    if (step.do === "wait") await delay(step.ms);
    else if (step.do === "wait_for") await waitFor(step.event);
    else if (step.do === "hangup")
      channel.hangup(
        channel.answered ? "NORMAL_CLEARING" : "ORIGINATOR_CANCEL",
        channel.answered ? "bye" : "cancelled",
      );
    else if (step.do === "press") {
      for (const digit of step.digits) {
        channel.press(digit, 100);
        await delay(step.gap_ms ?? 60);
      }
    } else throw new Error("this caller has no tone");
  }
}
