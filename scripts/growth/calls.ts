/** The kinds of calls there are: each does what a call may do, and ends in one of the ways in which a call may end. */
import { randomUUID } from "node:crypto";
import type { ScriptStep } from "../../src/engines/engine";
import { udpClient } from "../../test/sip/client";
import { Phone } from "../../test/sip/phone";
import type { Gateway } from "../bench/gateway";
import type { Receiver } from "./receiver";

export const app_id = "growing";

/** What all calls share. */
export interface Scene {
  readonly gateway: Gateway;
  readonly receiver: Receiver;
  /** A room that is there all the time. */
  readonly room_id: string;
}

/** The side of the app. */
class Caller {
  constructor(
    readonly scene: Scene,
    readonly session_uuid: string,
  ) {}

  static async simulated(scene: Scene, script: readonly ScriptStep[] = []): Promise<Caller> {
    const body = { did: "100", caller_id: "alice", script };
    const { session_uuid } = await scene.gateway.admin("/admin/sandbox/calls", body);
    return new Caller(scene, String(session_uuid));
  }

  command(name: string, body: object = {}): Promise<void> {
    return this.scene.gateway.command(app_id, this.session_uuid, name, body);
  }

  async told(event: string): Promise<Readonly<Record<string, unknown>>> {
    return { ...(await this.scene.receiver.event(event, this.session_uuid)).data };
  }

  async answered(): Promise<void> {
    await this.command("answer");
    await this.told("call.answered");
  }

  async over(): Promise<void> {
    await this.told("call.hangup");
    this.scene.receiver.forget(this.session_uuid);
  }

  async hungUp(): Promise<void> {
    await this.command("hangup");
    await this.over();
  }
}

/** @throws when it is answered otherwise */
async function answer(
  { gateway }: Scene,
  status: number,
  method: string,
  route: string,
  body?: object,
): Promise<Readonly<Record<string, unknown>>> {
  const answered = await gateway.app(app_id, method, route, body);
  if (answered.status !== status) throw new Error(`${method} ${route}: ${answered.status} ${answered.text}`);
  return answered.text === "" ? {} : JSON.parse(answered.text);
}

/** Listens to a file, and is looked at meanwhile. */
async function plays(scene: Scene): Promise<void> {
  const call = await Caller.simulated(scene);
  await call.answered();
  await call.command("playback/start", { urls: [`${scene.gateway.url}/samples/tone.wav`], command_uid: "tone" });
  await call.told("playback.started");
  await call.command("playback/pause");
  await answer(scene, 200, "GET", `/sessions/${call.session_uuid}`);
  await answer(scene, 200, "GET", `/sessions/${call.session_uuid}/events`);
  await call.hungUp();
  await answer(scene, 404, "GET", `/sessions/${call.session_uuid}`);
}

/** Keys what it is asked for. */
async function keys(scene: Scene): Promise<void> {
  const script: ScriptStep[] = [
    { do: "wait_for", event: "command.result" },
    { do: "wait_for", event: "command.result" },
    { do: "press", digits: "42#", gap_ms: 40 },
  ];
  const call = await Caller.simulated(scene, script);
  await call.answered();
  const prompt_files = [`${scene.gateway.url}/samples/tone.wav`];
  await call.command("play_and_get_digits", { prompt_files, min_digits: 1, max_digits: 4 });
  await call.told("digits.collected");
  await call.hungUp();
}

/** Is recorded; every other recording is stopped, the rest end with their call. */
async function recorded(scene: Scene, i: number): Promise<void> {
  const call = await Caller.simulated(scene);
  await call.answered();
  await call.command("record/start");
  await call.command("playback/silence", { duration_ms: 100 });
  await call.told("playback.stopped");
  const stopped = i % 2 === 0;
  if (stopped) await call.command("record/stop");
  else await call.command("hangup");
  const { recording_id } = await call.told("recording.completed");
  await answer(scene, 204, "DELETE", `/recordings/${recording_id}`);
  if (stopped) await call.command("hangup");
  await call.over();
}

/** Meets somebody in a room that is gone before or after them. */
async function meets(scene: Scene, i: number): Promise<void> {
  const { room_id } = await answer(scene, 201, "POST", "/conferences", { name: randomUUID() });
  const calls = [await Caller.simulated(scene), await Caller.simulated(scene)];
  for (const call of calls) {
    await call.answered();
    await call.command("conference/join", { room_id });
    await call.told("conference.member.joined");
  }
  const close = () => answer(scene, 204, "DELETE", `/conferences/${room_id}`);
  if (i % 2 === 0) await close();
  for (const call of calls) await call.hungUp();
  if (i % 2 === 1) await close();
}

/** Looks into the room that is always there, is muted, and hangs up in it. */
async function visits(scene: Scene): Promise<void> {
  const script: ScriptStep[] = [{ do: "wait_for", event: "conference.member.muted" }, { do: "hangup" }];
  const call = await Caller.simulated(scene, script);
  await call.answered();
  await call.command("conference/join", { room_id: scene.room_id });
  await call.told("conference.member.joined");
  await call.command("conference/mute");
  await call.over();
}

/** Is not answered. */
async function givesUp(scene: Scene): Promise<void> {
  const call = await Caller.simulated(scene, [{ do: "wait", ms: 50 }, { do: "hangup" }]);
  await call.over();
}

/** Is asked for what cannot be, and for the same thing twice. */
async function erring(scene: Scene): Promise<void> {
  const call = await Caller.simulated(scene);
  const route = `/sessions/${call.session_uuid}/commands`;
  const missing = { urls: [`${scene.gateway.url}/nothing.wav`], command_uid: "missing" };
  await answer(scene, 409, "POST", `${route}/record/start`);
  await answer(scene, 404, "POST", `/sessions/${randomUUID()}/commands/answer`);
  await answer(scene, 400, "POST", `${route}/no/such/command`);
  for (const _ of ["first", "again"]) await answer(scene, 202, "POST", `${route}/playback/start`, missing);
  await answer(scene, 409, "POST", `${route}/playback/start`, { ...missing, offset_sec: 1 });
  await call.told("playback.file_not_found");
  await call.told("command.result");
  await call.command("disconnect");
  await call.over();
}

/** Comes by SIP over UDP, and ends in one of three ways. */
async function phones(scene: Scene, i: number): Promise<void> {
  const { gateway, receiver } = scene;
  const client = await udpClient(gateway.program.ready.sipPort ?? 0);
  const phone = new Phone(client, "100", `bob${i}`);
  const expected = receiver.caller(phone.user);
  phone.invite();
  const call = new Caller(scene, await expected);
  await phone.response(180);
  if (i % 3 === 0) {
    phone.cancel();
    phone.ackRefusal(await phone.response(487));
  } else {
    await call.command("answer");
    await phone.response(200);
    phone.ack();
    await call.told("call.answered");
    if (i % 3 === 1) {
      phone.send("BYE");
      await phone.response(200, "BYE");
    } else {
      await call.command("hangup");
      phone.reply(await phone.request("BYE"), "200 OK");
    }
  }
  await call.over();
  await client.close();
}

const simulated = [plays, keys, recorded, meets, visits, givesUp, erring];

/** Each kind in its turn. @param sip one kind more: what SIP remembers of a call is gone half a minute after it */
export function callsOf(sip: boolean): readonly ((scene: Scene, i: number) => Promise<void>)[] {
  return sip ? [...simulated, phones] : simulated;
}
