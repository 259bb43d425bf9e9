/** Whoever ends a call, and whatever it is doing then: what is under way ends in order and once, and the call ends last. */
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readWav } from "../media-child/wav";
import { Caller } from "./caller";
import { type Moment, moments } from "./moments";
import { Stage } from "./stage";
import { told } from "./story";

interface Call extends Moment {
  readonly session_uuid: string;
  readonly caller: Caller | null;
}

interface Ender {
  readonly name: string;
  /** Callers have phones, not scripts. */
  readonly phones?: true;
  readonly env?: Readonly<Record<string, string>>;
  readonly moments: readonly Moment[];
  readonly end: (stage: Stage, calls: readonly Call[]) => Promise<unknown>;
  /** What comes between what ends and the end. */
  readonly before?: string;
  readonly last: (answered: boolean) => string;
  /** Why a call leaves its room. */
  readonly reason?: "orphan";
  /** What is left afterwards: the app with its events, its recordings alone, or neither. */
  readonly leaves: "app" | "recordings" | "nothing";
}

const everybody = (calls: readonly Call[], act: (call: Call) => Promise<unknown> | undefined) =>
  Promise.all(calls.map(act));

const enders: readonly Ender[] = [
  {
    name: "the caller",
    phones: true,
    moments,
    end: (_, calls) => everybody(calls, ({ caller }) => caller?.hangUp()),
    last: (answered) => (answered ? "NORMAL_CLEARING by caller" : "ORIGINATOR_CANCEL 487 by caller"),
    leaves: "app",
  },
  {
    name: "the silence of the caller",
    phones: true,
    env: { RTP_TIMEOUT_SECONDS: "2" },
    // Whoever has not been answered need not say anything.
    moments: moments.filter(({ answered }) => answered),
    end: (_, calls) =>
      everybody(calls, ({ caller }) => {
        caller?.fallSilent();
        return caller?.hungUp();
      }),
    last: () => "MEDIA_TIMEOUT by media_server",
    leaves: "app",
  },
  {
    name: "the app",
    moments,
    end: (stage, calls) =>
      everybody(calls, ({ session_uuid }) => stage.taken(session_uuid, "hangup", { command_uid: "bye" })),
    before: "command.result hangup bye done",
    last: (answered) => `NORMAL_CLEARING ${answered ? "" : "480 "}by app`,
    leaves: "app",
  },
  {
    name: "the end of the app",
    moments,
    end: async (stage) => {
      const { status } = await stage.admin("DELETE", "/admin/apps/test");
      expect(status).toBe(200);
    },
    last: (answered) => `APP_DELETED ${answered ? "" : "480 "}by gateway`,
    leaves: "nothing",
  },
  {
    name: "the end of the gateway",
    moments,
    end: (stage) => stage.gateway.gateway.shutdown(),
    last: (answered) => `SERVER_SHUTDOWN ${answered ? "" : "503 "}by gateway`,
    leaves: "recordings",
  },
  {
    name: "the end of the media process",
    moments,
    end: async (stage) => {
      stage.expected.push("media child lost");
      process.kill(stage.mediaPid, "SIGKILL");
    },
    last: (answered) => `MEDIA_SERVER_LOST ${answered ? "" : "503 "}by gateway`,
    reason: "orphan",
    leaves: "app",
  },
];

async function bring(stage: Stage, moment: Moment, phones: boolean): Promise<Call> {
  const caller = phones ? await Caller.ring(stage) : null;
  const session_uuid = caller?.session_uuid ?? (await stage.sandbox());
  await stage.receiver.event("call.new", session_uuid);
  await Promise.all([moment.reach(stage, session_uuid), moment.answered ? caller?.talk() : undefined]);
  return { ...moment, session_uuid, caller };
}

describe.each(enders)("$name ends a call", ({ phones = false, env = {}, before, last, leaves, reason, ...ender }) => {
  let stage: Stage;
  let calls: readonly Call[];
  beforeAll(async () => {
    stage = await Stage.open({ env, recordings: true });
    calls = await Promise.all(ender.moments.map((moment) => bring(stage, moment, phones)));
    await ender.end(stage, calls);
  });
  afterAll(async () => {
    await everybody(calls, ({ caller }) => caller?.close());
    await stage.close();
  });

  test.each(ender.moments)("$name", async ({ name }) => {
    const call = calls.find((each) => each.name === name);
    if (!call) throw new Error(`no call ${name}`);
    const { session_uuid } = call;
    const whole = [
      ...call.before,
      ...call.ended.map((line) => line.replace("*", reason ?? "hangup")),
      ...(before ? [before] : []),
      `call.hangup ${last(call.answered)}`,
    ];
    const story = await stage.story(session_uuid);
    expect(story.slice(0, whole.length)).toEqual(whole);
    if (leaves !== "nothing" && call.recorded) {
      const { data } = await stage.receiver.event("recording.completed", session_uuid);
      whole.push("recording.completed tape");
      const file = path.join(stage.gateway.recordings ?? "", "test", `${data.recording_id}.wav`);
      const { left, right, beyond } = readWav(file);
      expect(beyond).toBe(0);
      expect(right.length).toBe(left.length);
      expect(Math.round(left.length / 8)).toBe(data.duration_ms);
    }
    if (leaves === "nothing") return;
    expect(told(stage.receiver.of(session_uuid))).toEqual(whole);
    if (leaves === "recordings") return;
    const { body } = await stage.app("GET", `/sessions/${session_uuid}/events`);
    expect(body?.events).toHaveLength(whole.length);
    expect(body?.next_after).toBe(whole.length);
    expect((await stage.session(session_uuid)).status).toBe(404);
  });
});
