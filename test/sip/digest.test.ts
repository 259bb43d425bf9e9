/** Digest authentication of callers (RFC 3261 section 22, RFC 7616). */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "@jest/globals";
import { answering, type Callee, callee } from "./callee";
import { type Client, type Message, udpClient } from "./client";
import { Phone, sdp } from "./phone";

const users = new Map([
  ["alice", "se:cret ä"],
  ["zoë", "x"],
]);
const hashes = { MD5: "md5", "SHA-256": "sha256" } as const;
let gateway: Callee;
let client: Client;
async function start(algorithms?: readonly ("MD5" | "SHA-256")[], t1 = 500): Promise<void> {
  gateway = await callee({ users, t1, ...(algorithms ? { algorithms } : {}) }, answering);
  client = await udpClient(gateway.port);
}
afterEach(async () => {
  await gateway.server.close();
  await client.close();
});

interface Answer {
  readonly name?: string;
  readonly password?: string;
  readonly nonce?: string;
  readonly nc?: string | null;
  readonly algorithm?: "MD5" | "SHA-256";
  readonly realm?: string;
}

function nonceOf(challenge: Message): string {
  return /nonce="([^"]+)"/.exec(challenge.get("www-authenticate"))?.[1] ?? "";
}

/** Authorization for an INVITE, worked out independently of the code under test. */
function authorization(challenge: Message, answer: Answer = {}): string {
  const { name = "alice", password = "se:cret ä", nc = "00000001", algorithm = "MD5", realm = "voicegate" } = answer;
  const nonce = answer.nonce ?? nonceOf(challenge);
  const hash = (text: string) => createHash(hashes[algorithm]).update(text, "utf8").digest("hex");
  const uri = "sip:4930@127.0.0.1";
  const middle = nc === null ? nonce : `${nonce}:${nc}:c0ffee:auth`;
  const response = hash(`${hash(`${name}:${realm}:${password}`)}:${middle}:${hash(`INVITE:${uri}`)}`);
  const wire = Buffer.from(name, "utf8").toString("latin1");
  const fields = [
    `username="${wire}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
  ];
  if (nc !== null) fields.push("qop=auth", `nc=${nc}`, 'cnonce="c0ffee"');
  return `Authorization: Digest ${fields.join(", ")}, algorithm=${algorithm}`;
}

async function challenged(phone: Phone): Promise<Message> {
  phone.invite();
  const challenge = await phone.response(401);
  phone.ackRefusal(challenge);
  return challenge;
}

/** The status that an INVITE with these credentials gets. */
async function tried(phone: Phone, header: string): Promise<Message> {
  client.send(Buffer.from(phone.write("INVITE", { headers: [header], body: sdp() }), "latin1"));
  const final = (m: Message) =>
    m.get("call-id") === phone.callId && m.status >= 200 && m.get("cseq").startsWith(`${phone.cseq} `);
  const answer = await client.inbox.next(final, "a final answer");
  if (answer.status === 200) {
    phone.toTag = answer.toTag;
    phone.ack();
    phone.toTag = "";
  } else phone.ackRefusal(answer);
  return answer;
}

async function hangUpAll(): Promise<void> {
  for (const { call } of gateway.calls.all) call.hangup({ name: "NORMAL_CLEARING", q850: 16, sip: 480 });
  const replier = new Phone(client);
  for (const _ of gateway.calls.all) replier.reply(await client.inbox.next((m) => m.status === 0, "BYE"), "200 OK");
}

describe.each([["MD5"], ["SHA-256"]] as const)("%s", (algorithm) => {
  test("lets in who knows the password, and counts what was used", async () => {
    await start([algorithm]);
    const phone = new Phone(client);
    const challenge = await challenged(phone);
    expect(challenge.all("www-authenticate")).toEqual([
      expect.stringMatching(
        new RegExp(`^Digest realm="voicegate", nonce="[\\w.-]+", algorithm=${algorithm}, qop="auth"$`),
      ),
    ]);
    // Nothing is kept for those who only ask.
    expect(gateway.server.stats()).toMatchObject({ calls: 0, transactions: 0 });
    expect((await tried(phone, authorization(challenge, { algorithm }))).status).toBe(200);
    // A nonce is good for further calls as long as the count goes up.
    const other = new Phone(client);
    expect((await tried(other, authorization(challenge, { algorithm, nc: "00000002" }))).status).toBe(200);
    const replayed = await tried(new Phone(client), authorization(challenge, { algorithm, nc: "00000002" }));
    expect(replayed.get("www-authenticate")).toContain("stale=true");
    await hangUpAll();
  });
});

test("without a quality of protection each nonce is good once; without a name the algorithm is MD5", async () => {
  await start();
  const phone = new Phone(client);
  const challenge = await challenged(phone);
  const header = authorization(challenge, { nc: null }).replace(", algorithm=MD5", "");
  expect((await tried(phone, header)).status).toBe(200);
  expect((await tried(new Phone(client), header)).get("www-authenticate")).toContain("stale=true");
  await hangUpAll();
});

test("both algorithms: one header each, either is taken", async () => {
  await start(["SHA-256", "MD5"]);
  for (const algorithm of ["SHA-256", "MD5"] as const) {
    const phone = new Phone(client);
    const challenge = await challenged(phone);
    expect(challenge.all("www-authenticate").length).toBe(2);
    expect((await tried(phone, authorization(challenge, { algorithm }))).status).toBe(200);
  }
  await hangUpAll();
});

test("a name beyond ASCII", async () => {
  await start();
  const phone = new Phone(client);
  const challenge = await challenged(phone);
  expect((await tried(phone, authorization(challenge, { name: "zoë", password: "x" }))).status).toBe(200);
  await hangUpAll();
});

test.each<[name: string, answer: (challenge: Message) => string, stale: boolean]>([
  ["a wrong password", (c) => authorization(c, { password: "guess" }), false],
  ["an unknown name", (c) => authorization(c, { name: "mallory", password: "" }), false],
  ["a name of Object", (c) => authorization(c, { name: "constructor", password: "" }), false],
  ["a nonce of our own making", (c) => authorization(c, { nonce: `${Date.now().toString(36)}-abc.def` }), true],
  ["a nonce that was tampered with", (c) => authorization(c, { nonce: nonceOf(c).replace("-", "-x") }), true],
  ["an empty nonce", (c) => authorization(c, { nonce: "" }), true],
  ["an algorithm that was not asked for", (c) => authorization(c, { algorithm: "SHA-256" }), false],
  ["another realm", (c) => authorization(c, { realm: "elsewhere" }), false],
  ["a count that is none", (c) => authorization(c, { nc: "zzzz" }), true],
  ["another scheme", () => "Authorization: Basic YTpi", false],
  ["an open quote", () => 'Authorization: Digest username="alice', false],
  ["no response", (c) => authorization(c).replace(/response="\w+"/, 'response=""'), false],
  ["auth-int", (c) => authorization(c).replace("qop=auth", "qop=auth-int"), false],
])("401: %s", async (_, answer, stale) => {
  await start();
  const phone = new Phone(client);
  const challenge = await challenged(phone);
  const refusal = await tried(phone, answer(challenge));
  expect(refusal.status).toBe(401);
  expect(refusal.get("www-authenticate").includes("stale=true")).toBe(stale);
  expect(gateway.calls.all).toEqual([]);
});

test("a nonce grows old: stale", async () => {
  await start(undefined, 1);
  const phone = new Phone(client);
  const challenge = await challenged(phone);
  const answers: Message[] = [];
  // Let in, and refused for its SDP, until the nonce is too old for that.
  for (let nc = 1; answers.at(-1)?.status !== 401; nc++) {
    const header = authorization(challenge, { nc: nc.toString(16).padStart(8, "0") });
    phone.invite({ headers: [Buffer.from(header, "utf8").toString("latin1")], body: "v=0\r\n" });
    answers.push(await client.inbox.next((m) => m.get("cseq").startsWith(`${phone.cseq} `), "an answer"));
  }
  expect(answers[0]?.status).toBe(488);
  expect(answers.at(-1)?.get("www-authenticate")).toContain("stale=true");
});

test("within a call nobody is asked again, and OPTIONS never", async () => {
  await start();
  const phone = new Phone(client);
  const ok = await tried(phone, authorization(await challenged(phone)));
  phone.toTag = ok.toTag;
  phone.invite();
  await phone.response(200);
  phone.ack();
  phone.send("BYE");
  await phone.response(200, "BYE");
  await phone.fence();
});
