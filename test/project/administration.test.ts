/** What an operator sees and does: nodes, dead letters, the end of an app and of the gateway with all that is open. */
import { readdir } from "node:fs/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { ClientResponse } from "../api/client";
import { TestGateway, type TestOptions } from "../gateway";

let open: TestGateway | null = null;

afterEach(async () => {
  const place = open;
  open = null;
  await place?.close();
});

async function started(options: TestOptions = {}): Promise<TestGateway> {
  open = await TestGateway.start(options);
  return open;
}

const admin = (place: TestGateway, method: string, path: string, body?: object): Promise<ClientResponse> =>
  place.client.request({ method, path, headers: place.admin, ...(body && { body }) });
const app = (place: TestGateway, method: string, path: string, body?: object): Promise<ClientResponse> =>
  place.client.request({ method, path: `/api/v1${path}`, headers: place.app, ...(body && { body }) });

/** A call in a room that is being recorded. */
async function conference(place: TestGateway): Promise<{ session: string; room: string }> {
  const session = await place.call();
  const command = async (name: string, body: object) => {
    const { status, text, body: taken } = await app(place, "POST", `/sessions/${session}/commands/${name}`, body);
    if (status !== 202) throw new Error(`${name}: ${status} ${text}`);
    await place.receiver.result(String(taken?.operation_id));
  };
  await command("answer", {});
  const made = await app(place, "POST", "/conferences", { name: "team", session_uuid: session });
  const room = String(made.body?.room_id);
  await command("record/start", { command_uid: "tape" });
  await command("conference/join", { room_id: room });
  return { session, room };
}

test("nodes are listed with what they have", async () => {
  const place = await started({ recordings: true });
  const node = place.gateway.embedded?.node;
  const of = (sessions: number, rooms: number) => ({
    success: true,
    nodes: [{ node, engine: "embedded", connected: true, sessions, rooms }],
  });
  expect((await admin(place, "GET", "/admin/nodes")).body).toEqual(of(0, 0));
  const { session, room } = await conference(place);
  expect((await admin(place, "GET", "/admin/nodes")).body).toEqual(of(1, 1));
  expect((await app(place, "DELETE", `/conferences/${room}`)).status).toBe(204);
  await app(place, "POST", `/sessions/${session}/commands/hangup`, {});
  await place.receiver.event("recording.completed", session);
  expect((await admin(place, "GET", "/admin/nodes")).body).toEqual(of(0, 0));
});

test("where recording is off, that is said before anything about the call", async () => {
  const place = await started();
  const ringing = await place.call();
  for (const name of ["record/start", "record/stop"]) {
    const { status, body } = await app(place, "POST", `/sessions/${ringing}/commands/${name}`, {});
    expect({ name, status, body }).toMatchObject({ name, status: 503, body: { error: "Recording not available" } });
  }
});

describe("dead letters", () => {
  const path = "/admin/apps/test/dead-letters";
  /** Everything since the receiver said that it is gone. */
  async function letters(): Promise<{ place: TestGateway; session: string }> {
    const place = await started();
    place.receiver.gaps = true;
    place.receiver.answer = () => 410;
    const session = await place.call();
    await place.receiver.attempted(1);
    await app(place, "POST", `/sessions/${session}/commands/hangup`, {});
    await until(async () => (await list(place)).length === 3);
    return { place, session };
  }
  type Letters = readonly Readonly<Record<string, unknown>>[];
  const list = async (place: TestGateway, query = ""): Promise<Letters> => {
    const { body } = await admin(place, "GET", `${path}${query}`);
    return body?.dead_letters as Letters;
  };
  /** Each look is a request, which takes its time. */
  async function until(reached: () => Promise<boolean>): Promise<void> {
    while (!(await reached())) await new Promise(setImmediate);
  }

  test("are listed, newest first, page by page, and counted", async () => {
    const { place, session } = await letters();
    const all = await list(place);
    expect(all).toEqual([
      expect.objectContaining({ event: "call.hangup", session_uuid: session, sequence: 3, attempts: 0 }),
      expect.objectContaining({ event: "command.result", session_uuid: session, sequence: 2, attempts: 0 }),
      expect.objectContaining({ event: "call.new", session_uuid: session, sequence: 1, attempts: 1 }),
    ]);
    expect(all[2]?.body).toMatchObject({ event: "call.new", data: { did: "100" } });
    const first = await admin(place, "GET", `${path}?limit=2`);
    expect(first.body?.dead_letters).toEqual(all.slice(0, 2));
    const second = await admin(place, "GET", `${path}?limit=2&cursor=${first.body?.next_cursor}`);
    expect(second.body).toEqual({ success: true, dead_letters: all.slice(2), next_cursor: null });
    const { text } = await place.client.request({ method: "GET", path: "/metrics" });
    expect(text).toContain("\nvoicegate_dead_letters 3\n");
    expect(text).toContain('\nvoicegate_webhook_attempts_total{outcome="dead"} 3\n');
  });

  test("are delivered again under their old id, all or those that are named", async () => {
    const { place, session } = await letters();
    const [last, , first] = await list(place);
    place.receiver.answer = () => 204;
    const { url } = place.receiver;
    await admin(place, "POST", "/admin/apps/test", { webhook_url: url, dids: ["*"] });
    const replay = (body: object) => admin(place, "POST", `${path}/replay`, body);
    expect((await replay({ webhook_ids: [first?.webhook_id] })).body).toEqual({ success: true, replayed: 1 });
    await place.receiver.event("call.new", session);
    expect(await list(place)).toHaveLength(2);
    expect(await replay({ webhook_ids: [last?.webhook_id, first?.webhook_id] })).toMatchObject({ status: 404 });
    expect(await list(place)).toHaveLength(2);
    expect((await replay({})).body).toEqual({ success: true, replayed: 2 });
    await place.receiver.event("call.hangup", session);
    await place.receiver.event("command.result", session);
    expect(await list(place)).toEqual([]);
    expect(place.receiver.attempts.filter(({ id }) => id === first?.webhook_id)).toHaveLength(2);
  });

  test("cursors that nobody gave out are refused", async () => {
    const place = await started();
    for (const text of ["x", "letters:", "sessions:1"]) {
      const cursor = Buffer.from(text).toString("base64url");
      const { status, body } = await admin(place, "GET", `${path}?cursor=${cursor}`);
      expect({ text, status, body }).toMatchObject({ text, status: 400, body: { error: "Invalid cursor" } });
    }
  });
});

test("with an app go its calls, its rooms and its recordings", async () => {
  const place = await started({ recordings: true });
  const { session, room } = await conference(place);
  const files = async () =>
    (await readdir(place.recordings ?? "", { recursive: true })).filter((name) => /\.(?:wav|json)$/.test(name));
  expect(await files()).toHaveLength(2);
  expect((await admin(place, "DELETE", "/admin/apps/test")).status).toBe(200);
  expect((await place.receiver.event("call.hangup", session)).data).toMatchObject({ cause: "APP_DELETED" });
  await place.receiver.event("conference.destroyed", room);
  expect(await files()).toEqual([]);
});

test("a gateway that goes down tells the end of all that was open, recordings included", async () => {
  const place = await started({ recordings: true });
  const { session, room } = await conference(place);
  await place.gateway.shutdown();
  const story = await place.receiver.story(session, "recording.completed");
  expect(story.slice(-3).map(({ event }) => event)).toEqual([
    "conference.member.left",
    "call.hangup",
    "recording.completed",
  ]);
  expect(story.at(-2)?.data).toMatchObject({ by: "gateway", cause: "SERVER_SHUTDOWN" });
  expect(story.at(-1)?.data).toMatchObject({ command_uid: "tape", recording_url: expect.stringMatching(/^http/) });
  expect(place.receiver.names(room)).toEqual(["conference.created", "conference.destroyed"]);
});
