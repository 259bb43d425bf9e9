/** Events once more, and live, with the real store. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Client } from "./client";
import { admin, credentials, opened, type Place, ringing, startApi } from "./place";
import { Reader } from "./reader";
import { Teller } from "./teller";

let place: Place;
let client: Client;
let call: Teller;
beforeEach(async () => {
  place = await startApi();
  client = new Client(place.url);
  call = new Teller(place.store, place.session_uuid);
});
afterEach(() => place.close());

const get = (path: string) => client.request({ method: "GET", path, headers: credentials });

describe("what a call or a room has told", () => {
  const sequences = async (path: string) => {
    const { body } = await get(path);
    const listed: { sequence: number }[] = JSON.parse(JSON.stringify(body?.events));
    return [listed.map(({ sequence }) => sequence), body?.next_after];
  };

  test("is listed in pages, behind a number", async () => {
    await call.tell(["call.new", "call.answered", "dtmf"]);
    const path = `/api/v1/sessions/${call.id}/events`;
    expect(await sequences(path)).toEqual([[1, 2, 3], 3]);
    expect(await sequences(`${path}?limit=2`)).toEqual([[1, 2], 2]);
    expect(await sequences(`${path}?limit=2&after=2`)).toEqual([[3], 3]);
    expect(await sequences(`${path}?after=3`)).toEqual([[], 3]);
    expect(await sequences(`${path}?after=99`)).toEqual([[], 99]);
    const { body } = await get(`${path}?limit=1`);
    expect(body?.events).toEqual([
      expect.objectContaining({ event: "call.new", session_uuid: call.id, app_id: "raw" }),
    ]);
  });

  test.each([
    ["after=-1", "after must be an integer of 0 or more"],
    ["limit=1001", "limit must be an integer from 1 to 1000"],
  ])("not with %s", async (query, error) => {
    expect((await get(`/api/v1/sessions/${call.id}/events?${query}`)).body).toMatchObject({ error });
  });

  test("is there after the end, for its owner alone", async () => {
    await call.tell(["call.new", "call.hangup"]);
    await call.end();
    expect((await get(`/api/v1/sessions/${call.id}`)).status).toBe(404);
    expect(await sequences(`/api/v1/sessions/${call.id}/events?after=1`)).toEqual([[2], 2]);
    expect((await get("/api/v1/sessions/node1-nobody/events")).body).toMatchObject({ error: "Session not found" });
    await client.request({ method: "POST", path: "/admin/apps/other", headers: admin, body: {} });
    const other = await Teller.ofSession(place.store, ringing("other", await place.store.now()));
    const foreign = await get(`/api/v1/sessions/${other.id}/events`);
    expect(foreign.body).toMatchObject({ error: "Session belongs to a different application" });
  });

  test("of a room, it is told together with what its members say of it, in one order", async () => {
    const room = await Teller.ofRoom(place.store, opened("raw", "node1", await place.store.now()));
    await room.tell(["conference.created"]);
    await call.tell(["call.new"]);
    await call.tell(["conference.member.joined"], room.id);
    await room.tell(["conference.play.started"]);
    const { body } = await get(`/api/v1/conferences/${room.id}/events`);
    expect(body).toMatchObject({
      events: [
        { event: "conference.created", room_id: room.id },
        { event: "conference.member.joined", session_uuid: call.id, sequence: 2 },
        { event: "conference.play.started", room_id: room.id, sequence: 2 },
      ],
      next_after: 3,
    });
    await room.end();
    expect(await sequences(`/api/v1/conferences/${room.id}/events?after=2`)).toEqual([[2], 3]);
    expect((await get("/api/v1/conferences/nowhere/events")).body).toMatchObject({ error: "Room not found" });
  });
});

test("the id of a room names no call, and that of a call no room, one's own or a foreign one", async () => {
  await client.request({ method: "POST", path: "/admin/apps/other", headers: admin, body: {} });
  const now = await place.store.now();
  for (const app_id of ["raw", "other"]) {
    const room = await Teller.ofRoom(place.store, opened(app_id, "node1", now));
    const session = await Teller.ofSession(place.store, ringing(app_id, now));
    await room.tell(["conference.created"]);
    await session.tell(["call.new"]);
    for (const path of [room.id, `${room.id}/events`]) {
      expect((await get(`/api/v1/sessions/${path}`)).body).toMatchObject({ error: "Session not found" });
    }
    for (const path of [session.id, `${session.id}/events`]) {
      expect((await get(`/api/v1/conferences/${path}`)).body).toMatchObject({ error: "Room not found" });
    }
  }
});

describe("live", () => {
  const open = (query = "", headers = {}) =>
    Reader.open(place.url, `/api/v1/events${query}`, { ...credentials, ...headers });
  /** Past the first lines. */
  const begun = async (reader: Reader) => {
    expect(await reader.until("\n\n")).toBe("retry: 1000\n\n");
    return reader;
  };

  test("each event from now on comes with its id, its name and the body of the webhook, as it is committed", async () => {
    await call.tell(["call.new"]);
    const reader = await begun(await open());
    const [id] = await call.tell(["call.answered"]);
    const { body } = await get(`/api/v1/sessions/${call.id}/events?after=1`);
    const [event]: unknown[] = JSON.parse(JSON.stringify(body?.events));
    expect(await reader.until("\n\n")).toBe(`id: ${id}\nevent: call.answered\ndata: ${JSON.stringify(event)}\n\n`);
    const [next] = await call.tell(["dtmf"]);
    expect(await reader.until("\n\n")).toContain(`id: ${next}\n`);
    reader.destroy();
  });

  test("or from the one that was seen last", async () => {
    const [first] = await call.tell(["call.new", "call.answered", "dtmf"]);
    const reader = await begun(await open("", { "Last-Event-ID": String(first) }));
    expect(await reader.until("\n\n")).toContain("event: call.answered\n");
    expect(await reader.until("\n\n")).toContain("event: dtmf\n");
    reader.destroy();
  });

  test("or, when that is not known, from the oldest that is kept, and says so", async () => {
    await call.tell(["call.new"]);
    const reader = await begun(await open("", { "Last-Event-ID": "long ago" }));
    expect(await reader.until("\n\n")).toBe(": events before this are not kept\n\n");
    expect(await reader.until("\n\n")).toContain("event: call.new\n");
    reader.destroy();
  });

  test("an empty Last-Event-ID is none", async () => {
    await call.tell(["call.new"]);
    const reader = await begun(await open("", { "Last-Event-ID": "" }));
    await call.tell(["dtmf"]);
    expect(await reader.until("\n\n")).toContain("event: dtmf\n");
    reader.destroy();
  });

  test("a long past comes whole and in its order", async () => {
    const [first] = await call.tell(["call.new"]);
    for (let i = 0; i < 10; i += 1) await call.tell(Array(100).fill("dtmf"));
    const reader = await begun(await open("", { "Last-Event-ID": String(first) }));
    for (let sequence = 2; sequence <= 1001; sequence += 1)
      expect(await reader.until("\n\n")).toContain(`"sequence":${sequence},`);
    expect(reader.text).toBe("");
    reader.destroy();
  });

  test("one call alone, when it is named; of several names the first", async () => {
    const other = await Teller.ofSession(place.store, ringing("raw", await place.store.now()));
    const reader = await begun(await open(`?session_uuid=${other.id}&session_uuid=${call.id}`));
    await call.tell(["call.new"]);
    await other.tell(["call.answered"]);
    await call.tell(["dtmf"]);
    await other.tell(["call.hangup"]);
    expect(await reader.until("\n\n")).toContain("event: call.answered\n");
    expect(await reader.until("\n\n")).toContain("event: call.hangup\n");
    reader.destroy();
  });

  test("nothing of another app", async () => {
    await client.request({ method: "POST", path: "/admin/apps/other", headers: admin, body: {} });
    const other = await Teller.ofSession(place.store, ringing("other", await place.store.now()));
    const reader = await begun(await open());
    await other.tell(["call.new"]);
    await call.tell(["dtmf"]);
    expect(await reader.until("\n\n")).toContain("event: dtmf\n");
    reader.destroy();
  });

  test("ten at a time, each app for itself; one that ends makes room, and HEAD takes none", async () => {
    const { body } = await client.request({ method: "POST", path: "/admin/apps/other", headers: admin, body: {} });
    for (let i = 0; i < 12; i += 1)
      await client.request({ method: "HEAD", path: "/api/v1/events", headers: credentials });
    const attempts = await Promise.all(Array.from({ length: 10 }, async () => begun(await open())));
    const refused = await get("/api/v1/events");
    expect([refused.status, refused.body?.error]).toEqual([429, "Too many event streams"]);
    expect(refused.headers["retry-after"]).toBe("1");
    const key = { "X-App-ID": "other", "X-API-Key": String(body?.api_key) };
    (await begun(await open("", key))).destroy();
    attempts[0]?.destroy();
    // Asks until the gateway has seen that one has left.
    while ((await client.request({ method: "HEAD", path: "/api/v1/events", headers: credentials })).status === 429);
    attempts.push(await begun(await open()));
    for (const reader of attempts) reader.destroy();
  });

  test("not more than ten, also when more ask at the same moment", async () => {
    const asked = await Promise.allSettled(Array.from({ length: 15 }, () => open()));
    const opened = asked.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const refused = asked.flatMap((each) => (each.status === "rejected" ? [String(each.reason)] : []));
    expect([opened.length, refused]).toEqual([10, Array(5).fill("Error: refused: 429")]);
    for (const reader of opened) reader.destroy();
  });

  test("ends with its app", async () => {
    const reader = await begun(await open());
    await client.request({ method: "DELETE", path: "/admin/apps/raw", headers: admin });
    expect([await reader.ended, reader.text]).toEqual([true, ""]);
  });

  test("tells what was committed while the gateway shuts down, and ends in order", async () => {
    const reader = await begun(await open());
    place.api.shutdown();
    const refused = await get("/api/v1/events");
    expect(refused.body).toMatchObject({ error: "Server is shutting down" });
    await call.tell(["call.hangup"]);
    expect(await reader.until("\n\n")).toContain("event: call.hangup\n");
    await place.api.close();
    expect([await reader.ended, reader.text]).toEqual([true, ""]);
  });
});
