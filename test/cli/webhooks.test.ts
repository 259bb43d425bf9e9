/** Samples of events for a receiver, and what is said of a signature that is wrong. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { newSecret, sign } from "../../src/webhooks/signature";
import { Receiver } from "../receiver";
import { documents, inside, voicegate } from "./voicegate";

const receiver = new Receiver();
let folder: string;
let to: string;
beforeAll(async () => {
  receiver.secret = newSecret();
  receiver.gaps = true;
  to = await receiver.listen();
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
});
afterAll(async () => {
  await receiver.close();
  await rm(folder, { recursive: true });
});

test("a sample is the document's example, signed, with what was set; its answer decides the exit code", async () => {
  const { secret } = receiver;
  const args = ["--to", to, "--secret", secret, "--set", "digit=7", "--set", "sequence=9"];
  const sent = await voicegate(["trigger", "dtmf", ...args, "--json"]);
  expect(sent).toMatchObject({ status: 0, stderr: "" });
  expect(documents(sent)).toEqual([expect.objectContaining({ status: 204, webhook_id: expect.any(String) })]);
  expect(receiver.attempts).toEqual([
    expect.objectContaining({ event: "dtmf", sequence: 9, data: { digit: "7", duration_ms: 120 } }),
  ]);
  const forged = await voicegate(["trigger", "call.new", "--set", "did=5"], {
    WEBHOOK_URL: to,
    WEBHOOK_SECRET: newSecret(),
  });
  expect(forged).toMatchObject({ status: 1, stdout: expect.stringMatching(/"did":"5"[\s\S]*→ 401 in \d+ ms/) });
  await receiver.down();
  const gone = await voicegate(["trigger", "call.new", "--to", to, "--secret", secret, "--set", "data.direction=up"]);
  expect(gone).toMatchObject({ status: 1, stdout: expect.stringContaining("ECONNREFUSED") });
  expect(gone.stderr).toMatch(/^Not as the contract has it: .*direction/);
});

const secret = newSecret();
const body = '{"event":"dtmf"}';
const at = 1_740_830_400;
const signature = sign([secret], "msg_1", at, body);

interface Request {
  readonly headers?: string;
  readonly body?: string;
  readonly secret?: string;
  readonly late?: number;
}

/** What is found wrong, by parts. */
async function wrong(
  request: Request,
): Promise<{ readonly status: number | null; readonly parts: unknown[]; readonly said: string }> {
  const headers = path.join(folder, `${Math.random()}.txt`);
  const lines = `Webhook-Id: msg_1\r\nwebhook-timestamp: ${at}\r\nWebhook-Signature: ${signature}\r\n`;
  await writeFile(headers, request.headers ?? lines);
  const when = String(at + (request.late ?? 0));
  const args = ["--headers", headers, "--secret", request.secret ?? secret, "--at", when, "--json"];
  await writeFile(`${headers}.body`, request.body ?? body);
  const ran = await inside(["verify-signature", ...args, "--body", `${headers}.body`]);
  const found = documents(ran)[0]?.wrong;
  const all: { part: string; message: string }[] = Array.isArray(found) ? found : [];
  return { status: ran.status, parts: all.map(({ part }) => part), said: all.map(({ message }) => message).join(" ") };
}

test("what is right is right, and each thing that is wrong has its name", async () => {
  const json = JSON.stringify({ "webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": signature });
  const [right, old, other, changed, pretty, none, millis, text] = await Promise.all([
    wrong({ headers: json }),
    wrong({ late: 4000 }),
    wrong({ secret: newSecret() }),
    wrong({ body: `${body}\n` }),
    wrong({ body: JSON.stringify(JSON.parse(body), null, 2) }),
    wrong({ headers: `webhook-id: msg_1\nwebhook-timestamp: ${at}` }),
    wrong({ headers: `webhook-id: msg_1\nwebhook-timestamp: ${at}000\nwebhook-signature: ${signature}` }),
    wrong({ secret: "hunter2" }),
  ]);
  expect(right).toEqual({ status: 0, parts: [], said: "" });
  expect(old).toMatchObject({ status: 1, parts: ["timestamp"], said: expect.stringContaining("is 4000 s old") });
  expect(other).toMatchObject({ status: 1, parts: ["signature"], said: expect.stringContaining("another secret") });
  expect(changed).toMatchObject({
    parts: ["body"],
    said: expect.stringContaining("a line break was added at its end"),
  });
  expect(pretty).toMatchObject({ parts: ["body"], said: expect.stringContaining("parsed and written again") });
  expect(none).toMatchObject({ status: 1, parts: ["header"], said: "The header webhook-signature is missing." });
  expect(millis).toMatchObject({ parts: ["timestamp"], said: expect.stringContaining("milliseconds") });
  expect(text).toMatchObject({ parts: ["secret"], said: expect.not.stringContaining("hunter2") });
});

test("the body may come from standard input, and the parts as options", async () => {
  const parts = ["--id", "msg_1", "--timestamp", String(at), "--signature", signature, "--at", "2025-03-01T12:00:00Z"];
  const right = await voicegate(["verify-signature", ...parts], { WEBHOOK_SECRET: secret }, body);
  expect(right).toEqual({ status: 0, stdout: "The signature is right.\n", stderr: "" });
});
