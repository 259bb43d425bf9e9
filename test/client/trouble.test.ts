/** What the client makes of refusals, of connections that break, and of answers that nobody declared. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { operations } from "../../generated/operations";
import { type ClientOptions, createClient } from "../../src/client";
import { type Answered, accepted, answer, cut, refusal, ScriptedServer } from "./scripted";

let server: ScriptedServer | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

/** A client of a server that answers so, and the server. */
async function scripted(options: Partial<ClientOptions>, ...answers: readonly [Answered, ...Answered[]]) {
  server = await ScriptedServer.start(...answers);
  const all = { baseUrl: server.url, appId: "app", apiKey: "key", adminApiKey: "admin", ...options } as const;
  return { client: createClient(all), asked: server.asked };
}

const rooms = answer(200, '{"rooms":[],"next_cursor":null}');
const cooldown = refusal("command_rate_limited", 1, { retry_after_ms: 5 });

test("each operation is sent by its method, to its path, with its credentials", async () => {
  const { client, asked } = await scripted({ retry: false }, answer(400, "{}"));
  const calls = new Map<string, unknown>(Object.entries(client));
  for (const [id, { method, path, auth }] of Object.entries(operations)) {
    const call = calls.get(id);
    if (typeof call !== "function") throw new Error(`${id} has no method`);
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => [name, `the ${name}`]);
    await call({ ...Object.fromEntries(names), limit: 5 });
    const url = path.replaceAll(/\{(\w+)\}/g, "the%20$1");
    expect(asked.at(-1)).toMatchObject({ method, url: `${url}?limit=5` });
    const credentials = { app: ["x-app-id", "x-api-key"], admin: ["x-admin-api-key"], none: [] }[auth];
    const sent = Object.keys(asked.at(-1)?.headers ?? {}).filter((name) => /^x-.*(?:id|key)$/.test(name));
    expect(sent.sort()).toEqual([...credentials].sort());
  }
  expect(asked).toHaveLength(Object.keys(operations).length);
});

describe("sent again", () => {
  test("a command after its cooldown, and after its first try was decided, with one uid", async () => {
    const { client, asked } = await scripted({}, cooldown, refusal("command_uid_pending", 1), cut, accepted);
    const { data, commandUid } = await client.mute({ uuid: "a/b" });
    expect(data).toMatchObject({ operation_id: "o" });
    expect(asked).toHaveLength(4);
    expect(new Set(asked.map(({ body }) => body))).toEqual(new Set([JSON.stringify({ command_uid: commandUid })]));
    expect(asked[0]).toMatchObject({ method: "POST", url: "/api/v1/sessions/a%2Fb/commands/conference/mute" });
    expect(asked[0]?.headers).toMatchObject({ "x-app-id": "app", "x-api-key": "key" });
    expect(asked[0]?.headers).not.toHaveProperty("x-admin-api-key");
  });

  test("reads and deletions whose connection broke, in the middle of an answer too", async () => {
    const half: Answered = (response) => {
      response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 100 }).write("{");
      setImmediate(() => response.destroy());
    };
    const { client, asked } = await scripted({}, half, rooms, cut, (response) => response.writeHead(204).end());
    expect((await client.listRooms()).data).toEqual({ rooms: [], next_cursor: null });
    expect(await client.deleteRoom({ room_id: "r" })).toMatchObject({ status: 204 });
    expect(asked.map(({ method }) => method)).toEqual(["GET", "GET", "DELETE", "DELETE"]);
  });

  test("anything that was refused for a while", async () => {
    const made = answer(201, '{"room_id":"r"}');
    const { client, asked } = await scripted({}, refusal("server_overloaded", 1), made);
    expect((await client.createRoom({ body: { name: "standup" } })).data).toEqual({ room_id: "r" });
    expect(asked).toHaveLength(2);
  });
});

describe("not sent again", () => {
  test("what may have been done, when nobody knows", async () => {
    const { client, asked } = await scripted({}, cut);
    const { error } = await client.createRoom({ body: { name: "standup" } });
    expect(error).toMatchObject({
      code: "unreachable",
      status: null,
      message: expect.stringContaining("fetch failed: "),
    });
    expect(asked).toHaveLength(1);
  });

  test("what something in between refused, when it may have been done", async () => {
    const { client, asked } = await scripted(
      {},
      answer(503, "busy", { "Retry-After": 1, "Content-Type": "text/plain" }),
    );
    const { error } = await client.createRoom({ body: { name: "standup" } });
    expect(error).toMatchObject({ code: "unexpected_answer", status: 503, retryAfter: 1, body: "busy" });
    expect(asked).toHaveLength(1);
  });

  test("beyond the attempts, beyond the time, and when the caller says no", async () => {
    const { client, asked } = await scripted({ retry: { attempts: 3 } }, cooldown);
    const { error } = await client.mute({ uuid: "u" });
    expect(error).toMatchObject({ code: "command_rate_limited", detail: { retry_after_ms: 5 }, retryAfter: 1 });
    expect(asked).toHaveLength(3);
    await client.mute({ uuid: "u" }, { retry: false });
    expect(asked).toHaveLength(4);
    await client.mute({ uuid: "u" }, { retry: { maxWaitMs: 4 } });
    expect(asked).toHaveLength(5);
  });

  test("what was refused for good", async () => {
    const { client, asked } = await scripted({}, refusal("session_not_answered"));
    expect((await client.startRecording({ uuid: "u" })).error).toMatchObject({
      status: 409,
      code: "session_not_answered",
    });
    expect(asked).toHaveLength(1);
  });
});

describe("a signal", () => {
  test("ends the waiting for a next attempt", async () => {
    const { client, asked } = await scripted({}, refusal("rate_limited", 9));
    const controller = new AbortController();
    const call = client.listRooms({}, { signal: controller.signal });
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(asked).toHaveLength(1);
  });

  test("ends an attempt, and keeps one from being made", async () => {
    const controller = new AbortController();
    const { client, asked } = await scripted({}, () => controller.abort(new Error("enough")));
    const call = () => client.GET("/api/v1/conferences", { signal: controller.signal });
    await expect(call()).rejects.toThrow("enough");
    await expect(call()).rejects.toThrow("enough");
    expect(asked).toHaveLength(1);
  });
});

test("an answer that does not come in time is none", async () => {
  const { client } = await scripted({ timeoutMs: 20, retry: false }, () => {});
  const { error } = await client.listRooms();
  expect(error).toMatchObject({ code: "unreachable", message: "No answer within 20 ms" });
});

describe("an answer that the document does not declare", () => {
  test.each<[string, Answered, object]>([
    ["a page of a proxy", answer(502, "<html>", { "Content-Type": "text/html" }), { status: 502, body: "<html>" }],
    [
      "a page in place of JSON",
      answer(200, "<html>", { "Content-Type": "text/html" }),
      { status: 200, body: "<html>" },
    ],
    ["JSON that is none", answer(200, "{"), { status: 200, body: "{" }],
    ["another status of success", answer(202, "{}"), { status: 202, body: "{}" }],
    ["an error of another operation", refusal("session_not_found"), { status: 404, message: "Session not found" }],
    ["no body at all", (response) => response.writeHead(500).end(), { status: 500, body: "" }],
    ["a long body", answer(500, "x".repeat(5000)), { body: "x".repeat(1000) }],
  ])("%s", async (_what, said, expected) => {
    const { client } = await scripted({}, said);
    expect((await client.listRooms()).error).toMatchObject({ code: "unexpected_answer", ...expected });
  });

  test("a redirect: the keys stay here", async () => {
    const other = await ScriptedServer.start(rooms);
    try {
      const { client } = await scripted({}, answer(302, "", { Location: other.url }));
      expect((await client.listRooms()).error).toMatchObject({ code: "unexpected_answer", status: 302 });
      expect(other.asked).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe("a mistake of the program is thrown", () => {
  test("a URL or a key that no request can carry", () => {
    expect(() => createClient({ baseUrl: "voice.example.com", adminApiKey: "k" })).toThrow("Invalid URL");
    expect(() => createClient({ baseUrl: "file:///etc", adminApiKey: "k" })).toThrow("baseUrl must be http or https");
    expect(() => createClient({ baseUrl: "http://localhost", adminApiKey: "line\nbreak" })).toThrow("header value");
  });

  test("a parameter that would lead elsewhere, before anything is sent", async () => {
    const { client, asked } = await scripted({}, rooms);
    for (const uuid of ["", ".", ".."]) await expect(client.getSession({ uuid })).rejects.toThrow("uuid is missing");
    expect(asked).toEqual([]);
  });
});
