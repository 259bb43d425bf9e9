import { describe, expect, test } from "@jest/globals";
import { eventSources, operations } from "../../generated/operations";
import { command, expandedAfter, policyAfter, sure } from "./draft";

describe("where a request names what it is about", () => {
  test.each([
    ["answer", "path", null],
    ["getSession", "path", null],
    ["listSessionEvents", "path", null],
    ["joinRoom", "path", "body"],
    ["createRoom", "body", null],
    ["getRoom", null, "path"],
    ["deleteRoom", null, "path"],
    ["stopRoom", null, "path"],
    ["listSessions", null, null],
    // It names one in its query, to hear of no other: none needs to be there.
    ["streamEvents", null, null],
    ["commands.unknown", null, null],
  ])("%s: session %s, room %s", async (id, session, room) => {
    expect(await policyAfter(id)).toMatchObject({ session, room });
  });

  test("an id in a body of the administration is only data", async () => {
    const policy = await policyAfter("createSandboxCall", ({ schema }) => {
      const properties = sure(schema("SandboxCall").properties);
      properties.session_uuid = { type: "string" };
      properties.room_id = { type: "string" };
    });
    expect(policy).toMatchObject({ auth: "admin", session: null, room: null });
  });
});

test("the policies say whose command it is, what has ended and which bodies are ignored", () => {
  expect(operations.leaveRoom.command.of).toBe("session");
  expect(operations.stopRoom.command.of).toBe("room");
  const those = (holds: (policy: (typeof operations)[keyof typeof operations]) => boolean) =>
    Object.entries(operations).flatMap(([id, policy]) => (holds(policy) ? [id] : []));
  expect(those(({ ended }) => ended)).toEqual(["listSessionEvents", "listRoomEvents"]);
  expect(those(({ body }) => body.mode === "lenient")).toEqual(["leaveRoom", "stopRoom"]);
  expect(those(({ command }) => command?.of === "room")).toEqual([
    "playRoom",
    "pauseRoom",
    "setRoomVolume",
    "stopRoom",
  ]);
});

describe("what an event is about", () => {
  const frame = async (event: string, source?: "session" | "room" | "either") => {
    const { components, webhooks } = await expandedAfter((draft) => {
      if (source) draft.event(event)["x-source"] = source;
    });
    const media = sure(sure(webhooks[event]).post.requestBody?.content["application/json"]);
    return { media, named: (name: string) => components.schemas[name] };
  };

  test.each([
    ["session", "session_uuid"],
    ["room", "room_id"],
  ] as const)("of a %s: the frame has %s, and nothing else in its place", async (source, name) => {
    const { media, named } = await frame("dtmf", source);
    const all = ["event", name, "sequence", "timestamp", "app_id", "data"];
    expect(named("DtmfEvent")?.required).toEqual(all);
    expect(Object.keys(named("DtmfEvent")?.properties ?? {})).toEqual(all);
    expect(Object.keys(Object(media.example))).toEqual(all);
  });

  test("of either: one of two schemas, each with a name", async () => {
    const { media, named } = await frame("dtmf", "either");
    expect(media.schema).toEqual({ $ref: "#/components/schemas/DtmfEvent" });
    const refs = ["Session", "Room"].map((prefix) => ({ $ref: `#/components/schemas/${prefix}DtmfEvent` }));
    expect(named("DtmfEvent")).toEqual({ oneOf: refs });
    expect(named("SessionDtmfEvent")?.required).toContain("session_uuid");
    expect(named("SessionDtmfEvent")?.properties).not.toHaveProperty("room_id");
    expect(named("RoomDtmfEvent")?.required).toContain("room_id");
    expect(named("RoomDtmfEvent")?.properties).not.toHaveProperty("session_uuid");
  });

  test("a frame that lacks what an event is about", async () => {
    const change = expandedAfter(({ schema }) => {
      delete schema("EventFrame").properties?.room_id;
    });
    await expect(change).rejects.toThrow("EventFrame: room_id is missing");
  });

  test("is told by the source of each event", () => {
    expect(eventSources).toMatchObject({ "call.new": "session", "conference.created": "room" });
    expect(eventSources["conference.member.left"]).toBe("session");
    expect(eventSources["command.result"]).toBe("either");
  });
});

test("a part of a file has the headers of a success, and an answer without content says nothing of caching", async () => {
  const { paths } = await expandedAfter();
  const item = sure(paths["/api/v1/recordings/{recording_id}"]);
  for (const status of ["200", "206"]) {
    const { headers, content } = sure(item.get?.responses?.[status]);
    expect(Object.keys(headers ?? {})).toEqual(expect.arrayContaining(["X-Request-ID", "RateLimit", "Accept-Ranges"]));
    expect(headers?.["Cache-Control"]).toEqual({ $ref: "#/components/headers/PrivateCacheControl" });
    expect(Object.keys(content ?? {})).toEqual(["audio/wav"]);
  }
  const stream = sure(sure(paths["/api/v1/events"]).get?.responses?.["200"]);
  expect(stream.headers?.["Cache-Control"]).toEqual({ $ref: "#/components/headers/CacheControl" });
  const gone = sure(item.delete?.responses?.["204"]);
  expect(Object.keys(gone.headers ?? {})).toEqual(["X-Request-ID", "RateLimit", "RateLimit-Policy"]);
  const missing = sure(paths[command("hangup")]?.post?.responses?.["404"]);
  expect(missing.headers).toHaveProperty("Cache-Control");
});
