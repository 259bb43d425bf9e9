/** Where a story is told: a media server, the gateway's environment for it, and somebody who calls there. */
import { AsteriskServer } from "../asterisk/server";
import type { Stage } from "../calls/stage";
import { FreeswitchReplay } from "../freeswitch/replay";
import { did, ReplayedCaller, SipStoryCaller, type StoryCaller } from "./callers";

export interface StoryPlace {
  /** A call that an app hands back goes on in a dialplan. Where there is none, it ends: the one difference. */
  readonly dialplan: boolean;
  /** Of the gateway. */
  readonly env: Readonly<Record<string, string>>;
  /** Dials {@link did}, and does not wait for anything. */
  dial(stage: Stage, caller_id: string): Promise<StoryCaller>;
  /** What is left of calls at the media server. */
  left(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** The media server inside the gateway. */
export async function openEmbedded(): Promise<StoryPlace> {
  return {
    dialplan: false,
    env: {},
    dial: (stage, caller_id) => SipStoryCaller.dial(stage.sipPort, caller_id),
    left: async () => [],
    close: async () => undefined,
  };
}

/** A media server beside the gateway, which reads the same files. */
export const elsewhere = { EMBEDDED_ENGINE: "false", MEDIA_BASE_URL: "" };

/** A real one, as the examples configure it. */
export async function openAsterisk(): Promise<StoryPlace> {
  const server = await AsteriskServer.start();
  const { user, password, url, sipPort } = server;
  return {
    dialplan: true,
    env: { ...elsewhere, ASTERISK_NODES: `ast=${url}|${user}|${password}` },
    dial: (_, caller_id) => SipStoryCaller.dial(sipPort, caller_id),
    left: () => server.channels(),
    close: () => server.stop(),
  };
}

/** What a real one has said. */
export async function openFreeswitch(): Promise<StoryPlace> {
  const replay = new FreeswitchReplay();
  await replay.listen();
  const goesOn = () => undefined;
  replay.extensions.set("voicegate_disconnect", goesOn);
  return {
    dialplan: true,
    env: { ...elsewhere, FREESWITCH_NODES: `fs=127.0.0.1:${replay.port}:${replay.password}` },
    dial: async (_, caller_id) => new ReplayedCaller(replay.call({ caller_id, did })),
    left: async () => [...replay.channels.keys()],
    async close() {
      await replay.close();
      if (replay.beyond.length > 0) throw new Error(`a real one would differ: ${replay.beyond.join(", ")}`);
    },
  };
}
