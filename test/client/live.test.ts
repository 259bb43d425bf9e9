/** The stream of live events over connections that end, break and are refused. */
import { afterEach, expect, test } from "@jest/globals";
import { createClient, EventStreamError, type WebhookEvent } from "../../src/client";
import { type Answered, answer, refusal, ScriptedServer } from "./scripted";

let server: ScriptedServer | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

const told = (sequence: number, name = "dtmf", data: object = { digit: "ü" }): string => {
  const body = { event: name, session_uuid: "u", sequence, timestamp: "2025-03-01T12:00:00.000Z", app_id: "a", data };
  return `id: u.${sequence}\nevent: ${name}\ndata: ${JSON.stringify(body)}\n\n`;
};

/** A stream whose bytes come in these pieces, each by itself, and then its end, or (broken) none. */
const stream =
  (pieces: readonly (string | Buffer)[], broken = false): Answered =>
  async (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const piece of ["retry: 1\n\n", ...pieces])
      await new Promise<void>((resolve) => response.write(piece, () => setImmediate(resolve)));
    if (broken) response.destroy();
    else response.end();
  };

async function events(...answers: readonly [Answered, ...Answered[]]) {
  server = await ScriptedServer.start(...answers);
  return { client: createClient({ baseUrl: server.url, appId: "app", apiKey: "key" }), asked: server.asked };
}

async function take(source: AsyncIterable<WebhookEvent>, most: number): Promise<WebhookEvent[]> {
  const taken: WebhookEvent[] = [];
  for await (const event of source) if (taken.push(event) === most) break;
  return taken;
}

test("goes on after each end and each break from where it was", async () => {
  const bytes = Buffer.from(told(2));
  const inLetter = bytes.indexOf("ü") + 1;
  const { client, asked } = await events(
    stream([told(1)]),
    stream([":\n\n", bytes.subarray(0, inLetter), bytes.subarray(inLetter), told(3).slice(0, 20)], true),
    refusal("too_many_streams", 0),
    stream([told(3).replaceAll("\n", "\r\n"), told(4, "call.transferred", { to: "bob" })]),
  );
  const taken = await take(client.events({ session_uuid: "u", lastEventId: "u.0" }), 4);
  expect(taken.map(({ sequence, webhookId }) => [sequence, webhookId])).toEqual([1, 2, 3, 4].map((n) => [n, `u.${n}`]));
  expect(taken[1]).toMatchObject({ known: true, event: "dtmf", data: { digit: "ü" } });
  expect(taken[3]).toMatchObject({ known: false, event: "call.transferred", data: { to: "bob" } });
  expect(asked.map(({ url }) => url)).toEqual(Array(4).fill("/api/v1/events?session_uuid=u"));
  expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual(["u.0", "u.1", "u.2", "u.2"]);
});

test("a refusal that waiting does not mend is thrown, with all that it says", async () => {
  const { client, asked } = await events(refusal("invalid_api_key"));
  const failed = await take(client.events(), 1).catch((error: unknown) => error);
  if (!(failed instanceof EventStreamError)) throw failed;
  expect(failed.failure).toMatchObject({ status: 401, code: "invalid_api_key" });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.headers).not.toHaveProperty("last-event-id");
});

test("a signal ends it between two events, and its connection", async () => {
  const controller = new AbortController();
  let closed: (() => void) | null = null;
  const left = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { client } = await events((response) => {
    response.once("close", () => closed?.());
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write(told(1));
  });
  const reading = (async () => {
    for await (const event of client.events({ signal: controller.signal }))
      if (event.sequence === 1) controller.abort(new Error("enough"));
  })();
  await expect(reading).rejects.toThrow("enough");
  await left;
});

test("leaving the loop ends the connection", async () => {
  let closed: (() => void) | null = null;
  const left = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const { client } = await events((response) => {
    response.once("close", () => closed?.());
    response.writeHead(200, { "Content-Type": "text/event-stream" }).write(told(1));
  });
  expect(await take(client.events(), 1)).toHaveLength(1);
  await left;
});

test("an event without an end is not collected for ever", async () => {
  const endless: Answered = (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const piece = `data: ${"x".repeat(60_000)}\n`;
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  };
  const { client } = await events(endless);
  await expect(take(client.events(), 1)).rejects.toThrow("too long");
});

test("what is no event is passed over", async () => {
  const { client } = await events(stream(["data: {\n\n", "data: []\n\n", "event: ping\n\n", told(7), answer.name]));
  expect((await take(client.events(), 1)).map(({ sequence }) => sequence)).toEqual([7]);
});
