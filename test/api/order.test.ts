/** Steps 7 and 8 of the checks: one request with several faults is answered by the first. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client, type ClientRequest } from "./client";
import { admin, credentials, type Place, startApi } from "./place";

let place: Place;
let client: Client;
beforeAll(async () => {
  place = await startApi();
  client = new Client(place.url);
});
afterAll(() => place.close());

async function errorOf(request: ClientRequest): Promise<unknown> {
  return (await client.request(request)).body?.error;
}

const command = (name: string, body: ClientRequest["body"], headers: Record<string, string> = {}) =>
  errorOf({
    method: "POST",
    path: `/api/v1/sessions/nobody/commands/${name}`,
    headers: { ...credentials, ...headers },
    body,
  });

describe("the body as a whole", () => {
  const large = Buffer.alloc(65_537, " ");
  const json = { "Content-Type": "application/json" };

  test.each([
    ["its type before its size", large, {}, "Content-Type must be application/json"],
    ["its size before what it says", large, json, "Request body too large"],
    ["what it says before its fields", "[1]", json, "Invalid request body"],
  ])("%s", async (_, body, headers, error) => {
    expect(await command("playback/start", body, headers)).toBe(error);
  });

  test.each(["answer", "hangup", "playback/stop"])("%s needs none", async (name) => {
    for (const body of [null, "", {}]) expect(await command(name, body)).toBe("Session not found");
  });

  test("one byte less than too large is read, with a length and without", async () => {
    const exact = JSON.stringify({ command_uid: "x".repeat(65_536 - '{"command_uid":""}'.length) });
    const path = "/api/v1/sessions/nobody/commands/answer";
    for (const chunked of [false, true]) {
      const request = { method: "POST", path, headers: { ...credentials, ...json }, chunked };
      expect(await errorOf({ ...request, body: exact })).toBe("Invalid command_uid format");
      expect(await errorOf({ ...request, body: `${exact} ` })).toBe("Request body too large");
    }
  });

  test("where none is read, its size counts all the same", async () => {
    const request = { method: "GET", path: "/api/v1/sessions", headers: credentials };
    for (const chunked of [false, true]) {
      expect((await client.request({ ...request, body: "no JSON", chunked })).status).toBe(200);
      const body = Buffer.alloc(1024 * 1024 + 1);
      expect(await errorOf({ ...request, body, chunked })).toBe("Request body too large");
    }
  });
});

describe("fields", () => {
  const urls = ["http://a/b", "http://a/c"];

  test.each<[name: string, body: object, error: string]>([
    ["missing before unknown", { color: 1 }, "urls is required"],
    ["unknown before malformed", { urls: [], color: 1 }, "Unknown field in request body"],
    ["in the order of the document, not of the body", { urls: [], command_uid: "a b" }, "Invalid command_uid format"],
    [
      "the field itself before what is in it",
      { urls: Array(129).fill("x") },
      "urls must not have more than 128 entries",
    ],
    [
      "each before what is between them",
      { urls: [...urls, "ftp://a"], offset_sec: 1 },
      "urls must be HTTP or HTTPS URLs of at most 2048 characters",
    ],
    ["what is between them", { urls, offset_sec: 1 }, "offset_sec is not allowed with multiple urls"],
    ["nothing wrong", { urls }, "Session not found"],
  ])("%s", async (_, body, error) => {
    expect(await command("playback/start", body)).toBe(error);
  });

  test("the field that is unknown is named", async () => {
    const path = "/api/v1/sessions/nobody/commands/answer";
    const { body } = await client.request({ method: "POST", path, headers: credentials, body: { toString: 1 } });
    expect(body).toMatchObject({ code: "unknown_field", detail: { field: "toString" } });
  });

  test("rules hold between a field and the default of another", async () => {
    const body = { prompt_files: urls, min_digits: 2 };
    expect(await command("play_and_get_digits", body)).toBe("max_digits must not be less than min_digits");
    expect(await command("play_and_get_digits", { ...body, max_digits: 2 })).toBe("Session not found");
  });
});

describe("parameters", () => {
  test("before the body", async () => {
    const path = "/admin/apps/a%20b";
    expect(await errorOf({ method: "POST", path, headers: admin, body: { color: 1 } })).toBe("Invalid app_id format");
  });

  test.each([
    ["limit=0&cursor=%20", "limit must be an integer from 1 to 100"],
    ["limit=1.5", "limit must be an integer from 1 to 100"],
    ["limit=", "limit must be an integer from 1 to 100"],
    ["limit=0x10", "limit must be an integer from 1 to 100"],
    ["limit=1e1", "limit must be an integer from 1 to 100"],
    ["limit=%205", "limit must be an integer from 1 to 100"],
    ["limit=+5", "limit must be an integer from 1 to 100"],
    ["limit=true", "limit must be an integer from 1 to 100"],
    ["limit=007", undefined],
    ["limit=1&limit=2", "limit must be an integer from 1 to 100"],
    ["limit=100&cursor=a%20b", "Invalid cursor"],
    ["limit=100&color=red&color", undefined],
  ])("%s", async (query, error) => {
    expect(await errorOf({ method: "GET", path: `/api/v1/sessions?${query}`, headers: credentials })).toBe(error);
  });
});
