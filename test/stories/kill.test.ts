/** Calls at a real Asterisk that is killed, and at one whose gateway is: each ends once, on both sides. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "@jest/globals";
import { Client, type ClientResponse } from "../api/client";
import { AsteriskServer } from "../asterisk/server";
import { Stage } from "../calls/stage";
import { FileServer } from "../engine/files";
import { adminKey, apiKey, credentials } from "../gateway";
import { Program } from "../project/program";
import { Receiver } from "../receiver";
import { RedisServer } from "../redis/server";
import { did, SipStoryCaller } from "./callers";
import { elsewhere } from "./place";
import { answering, Telling } from "./telling";
import { transcript } from "./transcript";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function asterisk(): Promise<{ server: AsteriskServer; env: Record<string, string> }> {
  const server = await AsteriskServer.start();
  closers.push(() => server.stop());
  const { url, user, password } = server;
  return { server, env: { ...elsewhere, ASTERISK_NODES: `ast=${url}|${user}|${password}`, LEASE_SECONDS: "1" } };
}

/** Resolves when nothing of a call is left at Asterisk: by then, or the test runs out of time. */
async function empty(server: AsteriskServer): Promise<void> {
  while ((await server.channels()).length > 0) await delay(20);
}

test("an Asterisk that is killed with calls up, and started again: they have ended, and new ones come", async () => {
  const { server, env } = await asterisk();
  const stage = await Stage.open({ env, recordings: true });
  closers.push(() => stage.close());
  const dial = (_: Stage, caller_id: string) => SipStoryCaller.dial(server.sipPort, caller_id);
  const story = new Telling(stage, {
    dialplan: true,
    env,
    dial,
    left: () => server.channels(),
    close: async () => undefined,
  });
  closers.push(() => story.close());
  const ringing = await story.ringing("ringing");
  const [talking, member] = [await story.talking("talking"), await story.talking("member")];
  await stage.done(talking.session_uuid, "playback/start", { command_uid: "a", urls: [stage.files.tone(60_000)] });
  await stage.done(talking.session_uuid, "record/start", { command_uid: "tape" });
  const room_id = await story.room("standup");
  await stage.done(member.session_uuid, "conference/join", { command_uid: "in", room_id });
  await stage.done(room_id, "room/play", { command_uid: "music", urls: [stage.files.tone(60_000)], loop: true });
  await server.kill();
  await server.launch();
  const lost = "call.hangup cause=MEDIA_SERVER_LOST q850_cause=41";
  expect((await story.told(ringing.session_uuid)).slice(1)).toEqual([`${lost} sip_status=503 by=gateway`]);
  const recorded = await story.told(talking.session_uuid, "recording.completed");
  expect(recorded.slice(5)).toEqual([
    "command.result command=record/start command_uid=tape success=true",
    "playback.stopped command_uid=a urls=/tone/60000.wav reason=hangup",
    `${lost} by=gateway`,
    expect.stringMatching(/^recording\.completed command_uid=tape /),
  ]);
  const left = "session_uuid=member room_id=room caller_id=493 reason=orphan";
  expect((await story.told(member.session_uuid)).slice(5)).toEqual([
    `conference.member.left ${left}`,
    `${lost} by=gateway`,
  ]);
  expect((await stage.app("GET", "/sessions")).body).toMatchObject({ sessions: [] });
  const again = await story.talking("again");
  await stage.done(again.session_uuid, "playback/start", { command_uid: "b", urls: [stage.files.tone(100)] });
  await stage.receiver.event("playback.stopped", again.session_uuid);
  // Its room is there for new members: what it played has ended.
  expect((await stage.app("GET", `/conferences/${room_id}`)).body).toMatchObject({ members: [], playback: null });
  const { data: joined } = await stage.done(again.session_uuid, "conference/join", { command_uid: "in", room_id });
  expect(joined).toMatchObject({ success: true });
  const { data: sounds } = await stage.done(room_id, "room/play", {
    command_uid: "more",
    urls: [stage.files.tone(60_000)],
  });
  expect(sounds).toMatchObject({ success: true });
  expect((await stage.app("DELETE", `/conferences/${room_id}`)).status).toBe(204);
  await story.end(again);
  await story.told(again.session_uuid);
  for (const { session_uuid } of [ringing, talking, member, again])
    expect(stage.receiver.names(session_uuid).filter((name) => name === "call.hangup")).toHaveLength(1);
  await empty(server);
});

/** A gateway of its own process, that can be killed. */
class Mortal {
  readonly client: Client;

  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {
    this.client = new Client(url);
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Mortal> {
    const program = new Program("node", ["dist/src/cli/voicegate.js", "serve"], env);
    const [, url = ""] = await program.prints(/"url":"(http:[^"]+)"/);
    return new Mortal(program, url);
  }

  async kill(): Promise<void> {
    this.program.interrupt("SIGKILL");
    await this.program.ended();
  }

  app(method: string, where: string, body?: object): Promise<ClientResponse> {
    const headers = credentials("test");
    return this.client.request({ method, path: `/api/v1${where}`, headers, ...(body && { body }) });
  }

  /** Once it is the one that has the media server, and the cooldown is over. @returns the operation */
  async taken(session_uuid: string, name: string, body: object = {}): Promise<string> {
    const answer = await this.app("POST", `/sessions/${session_uuid}/commands/${name}`, body);
    if (answer.status === 202) return String(answer.body?.operation_id);
    if (answer.status !== 503 && answer.status !== 429) throw new Error(`${name}: ${answer.status} ${answer.text}`);
    await delay(50);
    return this.taken(session_uuid, name, body);
  }
}

test("a gateway that is killed with calls up, and started again: they go on, and what ended meanwhile has ended", async () => {
  const { server, env: node } = await asterisk();
  const [redis, receiver, files] = [
    await RedisServer.start({ appendfsync: "always" }),
    new Receiver(),
    new FileServer(),
  ];
  const recordings = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  const webhook_url = await receiver.listen();
  await files.listen();
  closers.push(
    () => redis.stop(),
    () => receiver.close(),
    () => files.close(),
    () => rm(recordings, { recursive: true }),
  );
  const env = {
    ...node,
    ...{ PORT: "0", ADMIN_API_KEY: adminKey, REDIS_URL: redis.url, SECRETS_KEY: "secrets-key-of-the-tests-0123456789" },
    ...{ ALLOW_HTTP_WEBHOOKS: "true", ALLOW_LOCALHOST_WEBHOOKS: "true", ALLOW_LOCALHOST_MEDIA: "true" },
    ...{ RECORDING_DIR: recordings, RECORDING_BASE_URL: "http://recordings.test", SHUTDOWN_TIMEOUT_MS: "0" },
  };
  const first = await Mortal.start(env);
  closers.push(() => first.kill());
  const settings = { webhook_url, dids: ["*"], api_key: apiKey };
  const headers = { "X-Admin-API-Key": adminKey };
  const made = await first.client.request({ method: "POST", path: "/admin/apps/test", headers, body: settings });
  receiver.secret = String(made.body?.webhook_secret);
  const names = new Map<string, string>();
  const ring = async (who: string) => {
    const before = receiver.events.length;
    const caller = await SipStoryCaller.dial(server.sipPort, "491");
    closers.push(() => caller.close());
    const { source } = await receiver.until(() =>
      receiver.events.slice(before).find(({ event }) => event === "call.new"),
    );
    names.set(source, who);
    return { caller, session_uuid: source };
  };
  const done = async (gateway: Mortal, session_uuid: string, name: string, body: object = {}) =>
    receiver.result(await gateway.taken(session_uuid, name, body));
  const talk = async (who: string) => {
    const party = await ring(who);
    await done(first, party.session_uuid, "answer", { command_uid: "take" });
    await party.caller.talk();
    return party;
  };
  const [playing, member, gone, ringing] = [
    await talk("playing"),
    await talk("member"),
    await talk("gone"),
    await ring("ringing"),
  ];
  const taped = await talk("taped");
  await done(first, taped.session_uuid, "record/start", { command_uid: "tape" });
  const urls = [files.tone(60_000)];
  await done(first, playing.session_uuid, "playback/start", { command_uid: "a", urls });
  await done(first, gone.session_uuid, "playback/start", { command_uid: "a", urls });
  const room = await first.app("POST", "/conferences", { name: "standup", session_uuid: member.session_uuid });
  const room_id = String(room.body?.room_id);
  names.set(room_id, "room");
  await done(first, member.session_uuid, "conference/join", { command_uid: "in", room_id, muted: true });

  // By then it has written down that the last webhook was taken, and sends none of them again.
  for (let i = 0; i < 3; i++) await first.app("GET", "/sessions");
  await first.kill();
  await gone.caller.hangUp();
  const second = await Mortal.start(env);
  closers.push(() => second.kill());

  await receiver.event("call.hangup", gone.session_uuid);
  await receiver.event("playback.stopped", playing.session_uuid);
  await done(second, playing.session_uuid, "playback/start", { command_uid: "b", urls: [files.tone(100)] });
  await receiver.event("playback.stopped", playing.session_uuid, receiver.of(playing.session_uuid).length);
  await done(second, member.session_uuid, "conference/unmute", { command_uid: "speak" });
  await done(second, member.session_uuid, "conference/leave", { command_uid: "out" });
  await done(second, ringing.session_uuid, "answer", { command_uid: "take" });
  await ringing.caller.talk();
  expect((await second.app("DELETE", `/conferences/${room_id}`)).status).toBe(204);
  await second.taken(playing.session_uuid, "hangup", { command_uid: "bye" });
  await playing.caller.hungUp();
  await member.caller.hangUp();
  await ringing.caller.hangUp();
  const { data: tape } = await receiver.event("recording.completed", taped.session_uuid);
  expect(tape).toMatchObject({ command_uid: "tape" });
  await taped.caller.hangUp();

  const begin = [`call.new caller_id=491 did=${did} direction=inbound`, ...answering];
  const told = async (id: string) => transcript(await receiver.story(id), names);
  const started = (uid: string, url: string) => [
    `playback.started command_uid=${uid} urls=${url}`,
    `command.result command=playback/start command_uid=${uid} success=true`,
  ];
  const byCaller = "call.hangup cause=NORMAL_CLEARING q850_cause=16 by=caller";
  expect(await told(playing.session_uuid)).toEqual([
    ...begin,
    ...started("a", "/tone/60000.wav"),
    "playback.stopped command_uid=a urls=/tone/60000.wav reason=stopped",
    ...started("b", "/tone/100.wav"),
    "playback.stopped command_uid=b urls=/tone/100.wav offset_ms=100 reason=completed",
    "command.result command=hangup command_uid=bye success=true",
    "call.hangup cause=NORMAL_CLEARING q850_cause=16 by=app",
  ]);
  const who = "session_uuid=member room_id=room caller_id=491";
  expect(await told(member.session_uuid)).toEqual([
    ...begin,
    `conference.member.joined ${who} muted=true`,
    "command.result command=conference/join command_uid=in success=true",
    `conference.member.unmuted ${who}`,
    "command.result command=conference/unmute command_uid=speak success=true",
    `conference.member.left ${who} reason=left`,
    "command.result command=conference/leave command_uid=out success=true",
    byCaller,
  ]);
  expect(await told(gone.session_uuid)).toEqual([
    ...begin,
    ...started("a", "/tone/60000.wav"),
    "playback.stopped command_uid=a urls=/tone/60000.wav reason=hangup",
    "call.hangup cause=MEDIA_SERVER_LOST q850_cause=41 by=gateway",
  ]);
  expect(await told(ringing.session_uuid)).toEqual([...begin, byCaller]);
  expect(await told(taped.session_uuid)).toEqual([
    ...begin,
    "command.result command=record/start command_uid=tape success=true",
    expect.stringMatching(/^recording\.completed command_uid=tape /),
    byCaller,
  ]);
  expect((await second.app("GET", "/sessions")).body).toMatchObject({ sessions: [] });
  await empty(server);
  for (const id of names.keys())
    expect(receiver.names(id).filter((name) => name === "call.hangup").length).toBe(id === room_id ? 0 : 1);
});
