/** Recordings that FreeSWITCH writes: into a folder that this process and FreeSWITCH have in common. */
import { stat } from "node:fs/promises";
import path from "node:path";
import type { Log } from "../../log";
import type { MediaListener } from "../control/media_server";
import { Refused } from "../engine";
import type { Channel } from "./channel";
import { fileName, record, stopRecord, Unspeakable } from "./commands";
import type { FreeswitchEvent } from "./event";
import type { Link } from "./link";
import { checkChannel } from "./outlet";

export interface RecorderMeans {
  readonly link: Link;
  readonly listener: MediaListener;
  readonly log: Log;
  ping(): Promise<void>;
}

type Outcome = { readonly failure: string | null };

/** FreeSWITCH's own limit counts whole seconds and is early or late by one: it is only for when this process is gone. */
const slackS = 5;

/** FreeSWITCH could not open the file. */
class NotRecorded extends Error {
  override readonly name = "NotRecorded";
}

export class Recorder {
  readonly #means: RecorderMeans;

  constructor(means: RecorderMeans) {
    this.#means = means;
  }

  /** @throws Refused */
  async record(channel: Channel, recording_id: string, file: string, max_ms: number): Promise<Outcome> {
    const { link, ping } = this.#means;
    const problem = await unfit(file);
    if (problem !== null || channel.recording) {
      await ping();
      return { failure: problem ?? "the call is recorded already" };
    }
    const recording = { recording_id, path: file, timer: null };
    channel.recording = recording;
    const command = record(channel.uuid, file, Math.ceil(max_ms / 1000) + slackS);
    try {
      await link.confirmed(channel.uuid, `recording ${file}`, command, (reply) => {
        if (reply.startsWith("-ERR Cannot record")) throw new NotRecorded("FreeSWITCH cannot write the file");
        checkChannel(reply);
      });
    } catch (err) {
      if (err instanceof Refused && err.refusal === "late") this.#end(channel, file);
      if (channel.recording === recording) channel.recording = null;
      if (err instanceof NotRecorded) return { failure: err.message };
      throw err;
    }
    if ((await kindOf(file)) !== "file") {
      if (channel.recording === recording) channel.recording = null;
      this.#end(channel, file);
      return { failure: "FreeSWITCH writes it, and not into a folder that this process has, too" };
    }
    if (channel.recording === recording) {
      const timer = setTimeout(() => this.#end(channel, file), max_ms);
      channel.recording = { ...recording, timer };
    }
    return { failure: null };
  }

  /** @throws Refused */
  async stop(channel: Channel): Promise<void> {
    const { link, ping } = this.#means;
    const { recording } = channel;
    if (!recording) return ping();
    const reply = await link.request(stopRecord(channel.uuid, recording.path));
    // It has ended by itself, and its event is on its way; where that was missed, it ends here.
    if (reply.startsWith("-ERR Cannot stop")) this.#ended(channel, null);
    else checkChannel(reply);
  }

  /** Ends it, and resolves when its file is whole. @throws Refused */
  async finish({ uuid, recording }: Channel): Promise<void> {
    if (recording)
      await this.#means.link.confirmed(uuid, `recorded ${uuid}`, stopRecord(uuid, recording.path), checkChannel);
  }

  /** One that another process has begun. */
  adopted(channel: Channel, recording_id: string): void {
    channel.recording ??= { recording_id, path: null, timer: null };
  }

  /** The file is closed. */
  stopped(channel: Channel, event: FreeswitchEvent): void {
    const { recording } = channel;
    const file = event.get("Record-File-Path");
    if (!recording) return;
    const isIt =
      recording.path === null ? path.basename(file).includes(recording.recording_id) : recording.path === file;
    if (!isIt) return;
    this.#means.link.met(`recorded ${channel.uuid}`, event);
    const cause = event.get("Record-Completion-Cause");
    this.#ended(channel, cause === "" || cause.startsWith("success") ? null : cause);
  }

  /** The call is over: whatever was not told of its recording never will be. */
  callEnded(channel: Channel): void {
    this.#ended(channel, null);
  }

  #ended(channel: Channel, failure: string | null): void {
    const { recording } = channel;
    channel.recording = null;
    if (!recording) return;
    if (recording.timer) clearTimeout(recording.timer);
    const { recording_id } = recording;
    if (failure !== null)
      this.#means.log.warn({ recording_id, failure }, "FreeSWITCH could not write a recording to its end");
    this.#means.listener.recorded(recording_id, failure);
  }

  #end({ uuid, session_uuid }: Channel, file: string): void {
    const { link, log } = this.#means;
    link
      .request(stopRecord(uuid, file))
      .catch((err) => log.warn({ session_uuid, err }, "a recording could not be ended"));
  }
}

/** Why nothing can be recorded there; null when something can. FreeSWITCH would make folders and write over files. */
async function unfit(file: string): Promise<string | null> {
  try {
    fileName(file);
  } catch (err) {
    if (err instanceof Unspeakable)
      return `the folder of recordings has a name that FreeSWITCH would not read as one: ${err.message}`;
    throw err;
  }
  if ((await kindOf(path.dirname(file))) !== "folder") return "the folder is not there";
  if ((await kindOf(file)) !== "nothing") return "there is a file already";
  return null;
}

async function kindOf(file: string): Promise<"file" | "folder" | "nothing"> {
  try {
    return (await stat(file)).isDirectory() ? "folder" : "file";
  } catch {
    // Not there, or not for this process: the one is as good as the other.
    return "nothing";
  }
}
