/** The laws of the conformance kit against webhooks that are made by hand: each is broken by what breaks it, and by nothing else. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Clock } from "../../src/conformance/gateway/ground/clock";
import { Endpoint, type Reply } from "../../src/conformance/gateway/ground/endpoint";
import { KitServer } from "../../src/conformance/gateway/ground/server";
import { laws as allLaws, type Law } from "../../src/conformance/gateway/laws/law";
import { Laws } from "../../src/conformance/gateway/laws/laws";
import { signatureOf } from "../../src/conformance/signature";

const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const oldSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const server = new KitServer();

beforeAll(() => server.listen("127.0.0.1", 0, null));
afterAll(() => server.close());

type Data = Readonly<Record<string, unknown>>;
/** How one webhook differs from a right one. */
interface Odd {
  readonly id?: string;
  readonly sequence?: number;
  readonly timestamp?: string;
  readonly signedAt?: number;
  readonly signature?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly more?: Data;
  readonly path?: string;
  /** How it is answered. */
  readonly reply?: Reply;
  /** It is sent so much later than its timestamps say. */
  readonly lateMs?: number;
  /** Times that it is sent. */
  readonly times?: number;
}
type Step = readonly [event: string, data?: Data, odd?: Odd];

const session = "acW68-f47ac10b-58cc-4372-a567-0e02b2c3d479";
const room = "acW68-room-0b8d5c6e-7f1a-4b2c-9d3e-4f5a6b7c8d9e";
const caller_id = "alice";

const began: Step = ["call.new", { caller_id, did: "100", direction: "inbound" }];
const ended: Step = [
  "call.hangup",
  { cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, duration_ms: 0, by: "app" },
];
const answered: Step = ["call.answered"];
const urls = ["http://media.test/a.wav"];
const file_path = urls.join();
const started = (command_uid: string): Step => ["playback.started", { command_uid, urls, file_path }];
const stopped = (command_uid: string): Step => [
  "playback.stopped",
  { command_uid, urls, file_path, offset_ms: 0, duration_ms: 0, reason: "stopped" },
];
const collected = (command_uid: string): Step => [
  "digits.collected",
  { command_uid, digits: "1", terminator: null, status: "success" },
];
const result = (command: string, command_uid: string, operation_id: string = randomUUID()): Step => [
  "command.result",
  { command, command_uid, operation_id, success: true },
];
const member = (event: string, more: Data = {}): Step => [
  `conference.member.${event}`,
  { session_uuid: session, room_id: room, caller_id, ...more },
];
const joined = member("joined", { muted: false });
const left = member("left", { reason: "left" });
const opened: Step = ["conference.created", { room_id: room, name: "standup" }];
const closed: Step = ["conference.destroyed", { room_id: room, name: "standup" }];
const odd = ([event, data]: Step, how: Odd): Step => [event, data, how];

/** A whole gateway, as far as an endpoint sees it. */
async function told(steps: readonly Step[], prepare: (endpoint: Endpoint) => void = () => undefined): Promise<Law[]> {
  const clock = new Clock();
  // To the second, as in the field Date.
  clock.saw(new Date().toUTCString(), Math.floor(Date.now() / 1000) * 1000);
  const laws = new Laws(clock);
  const endpoint = new Endpoint(server, "acme", laws);
  endpoint.secrets = [secret];
  prepare(endpoint);
  const numbers = new Map<string, number>();
  for (const [event, data = {}, how = {}] of steps) {
    const own = /^conference\.(?!member)/.test(event) ? "room_id" : "session_uuid";
    const source = own === "room_id" ? room : session;
    const sequence = how.sequence ?? (numbers.get(source) ?? 0) + 1;
    numbers.set(source, sequence);
    const { id = `${source}.${sequence}`, times = 1, method = "POST", path = "", lateMs = 0 } = how;
    const timestamp = how.timestamp ?? new Date(Date.now() - lateMs).toISOString();
    const body = JSON.stringify({ event, [own]: source, sequence, timestamp, app_id: "acme", data, ...how.more });
    const signedAt = String(how.signedAt ?? Math.floor((Date.now() - lateMs) / 1000));
    endpoint.reply = () => how.reply ?? 204;
    for (let n = 0; n < times; n++) {
      const signature = how.signature ?? signatureOf(secret, id, signedAt, body);
      const headers = {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": signedAt,
        "webhook-signature": signature,
        ...how.headers,
      };
      await fetch(endpoint.url + path, { method, headers, body: method === "GET" ? null : body });
    }
  }
  return (Object.keys(allLaws) as Law[]).filter((law) => laws.breaches(law).length > 0);
}

const call = [began, answered, ended];

test("a call and a room as they should be break no law", async () => {
  const story = [
    began,
    answered,
    result("answer", "a"),
    started("p"),
    result("playback/start", "p"),
    stopped("p"),
    joined,
  ];
  const rest = [
    result("conference/join", "j"),
    member("muted"),
    left,
    result("play_and_get_digits", "d"),
    collected("d"),
    result("hangup", "h"),
    ended,
  ];
  expect(await told([opened, ...story, ...rest, closed])).toEqual([]);
});

const broken: readonly (readonly [name: string, steps: readonly Step[], laws: readonly Law[]])[] = [
  [
    "signed with another secret",
    [odd(began, { signature: signatureOf(oldSecret, `${session}.1`, "1", "") })],
    ["signature"],
  ],
  ["no signature", [odd(began, { signature: "" })], ["signature"]],
  ["one signature too many", [odd(began, { headers: { "webhook-signature": "v1,AAAA" } })], ["signature"]],
  ["an id with a space", [odd(began, { id: "a b" })], ["signature"]],
  ["an id that has no end", [odd(began, { id: "x".repeat(300) })], ["signature"]],
  ["milliseconds", [odd(began, { signedAt: Date.now() })], ["fresh"]],
  ["signed a minute ago", [odd(began, { signedAt: Math.floor(Date.now() / 1000) - 60 })], ["fresh"]],
  ["signed in the future", [odd(began, { signedAt: Math.floor(Date.now() / 1000) + 60 })], ["fresh"]],
  [
    "signed always some seconds before",
    Array.from({ length: 6 }, (_, n) =>
      odd(n === 0 ? began : ["dtmf", { digit: "1", duration_ms: 9 }], { signedAt: Math.floor(Date.now() / 1000) - 4 }),
    ),
    ["fresh"],
  ],
  ["told much later", [odd(began, { timestamp: new Date(Date.now() - 20_000).toISOString() })], ["prompt"]],
  ["no JSON", [odd(began, { headers: { "Content-Type": "text/plain" } })], ["request"]],
  ["another path", [odd(began, { path: "/more" })], ["request"]],
  ["PUT", [odd(began, { method: "PUT" })], ["request"]],
  ["one field more", [odd(began, { more: { extra: 1 } })], ["schema"]],
  ["no such event", [began, ["call.moved"]], ["schema"]],
  ["another app", [odd(began, { more: { app_id: "other" } })], ["owner"]],
  ["the same number twice", [began, odd(answered, { sequence: 1, id: "another" })], ["identity"]],
  ["the same id twice", [began, odd(answered, { id: `${session}.1` })], ["identity"]],
  ["sent again though taken", [odd(began, { times: 3 })], ["repeats"]],
  ["from zero", [odd(began, { sequence: 0 }), odd(answered, { sequence: 1 })], ["schema", "order"]],
  ["a gap", [began, odd(answered, { sequence: 3 })], ["sequence"]],
  ["begun in the middle", [odd(answered, { sequence: 2 })], ["sequence"]],
  ["before the one before was taken", [began, odd(answered, { reply: 500 }), ended], ["order"]],
  ["time that goes back", [began, odd(answered, { timestamp: new Date(Date.now() - 1_000).toISOString() })], ["clock"]],
  ["neither call nor room", [odd(began, { more: { session_uuid: undefined } })], ["schema"]],
  [
    "another call in the data",
    [opened, began, member("joined", { muted: false, session_uuid: `${session}0` })],
    ["subject"],
  ],
  ["another caller", [began, member("joined", { muted: false, caller_id: "bob" })], ["subject"]],
  ["no call.new", [answered, ended], ["call"]],
  ["answered twice", [began, answered, answered], ["call"]],
  ["something after the end", [...call, ["dtmf", { digit: "1", duration_ms: 9 }]], ["call"]],
  ["a second end", [...call, ended], ["call"]],
  ["a room that begins with its end", [closed], ["room"]],
  ["stopped without a start", [began, stopped("p")], ["playback"]],
  ["started twice", [began, started("p"), stopped("p"), started("p")], ["playback"]],
  ["two at a time", [began, started("p"), started("q")], ["playback"]],
  ["still playing at the end", [began, started("p"), ended], ["ended"]],
  ["still in the room at the end", [began, joined, ended], ["ended"]],
  ["collected twice", [began, result("play_and_get_digits", "d"), collected("d"), collected("d")], ["digits"]],
  ["never collected", [began, result("play_and_get_digits", "d"), ended], ["digits", "effect"]],
  ["left without a join", [began, left], ["member"]],
  ["joined twice", [began, joined, joined], ["member"]],
  ["muted twice", [began, joined, member("muted"), member("muted")], ["member"]],
  ["two results", [began, result("answer", "a"), result("answer", "a")], ["once"]],
  [
    "one operation twice",
    [
      began,
      result("answer", "a", "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60"),
      result("answer", "b", "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60"),
    ],
    ["once"],
  ],
  ["a result of no command", [began, result("dance", "a")], ["cause"]],
  ["a command of rooms", [began, result("room/play", "a")], ["cause"]],
  ["a success without its event", [began, result("playback/start", "p"), ended], ["effect"]],
  ["a success without an event of any command", [began, result("conference/mute", "m"), ended], ["effect"]],
  ["caused by what cannot", [began, result("answer", "p"), started("p")], ["cause"]],
];

test.each(broken)("%s", async (_, steps, laws) => {
  expect(await told(steps)).toEqual(laws);
});

test("both secrets sign while the old one holds", async () => {
  const both = (endpoint: Endpoint) => {
    endpoint.secrets = [secret, oldSecret];
  };
  expect(await told([began], both)).toEqual(["signature"]);
});

test("only what the app asked for comes", async () => {
  const filtered = (endpoint: Endpoint) => {
    endpoint.wanted = ["call.hangup"];
  };
  expect(await told([began], filtered)).toEqual(["wanted"]);
  expect(await told([ended], filtered)).toEqual([]);
});

test("what was refused comes again, with the same body", async () => {
  const at = new Date().toISOString();
  const first = odd(began, { reply: 500, timestamp: at, times: 3 });
  expect(await told([first, odd(began, { sequence: 1, timestamp: at }), answered])).toEqual([]);
  expect(
    await told([first, odd(began, { sequence: 1, timestamp: at, more: { data: { ...began[1], did: "200" } } })]),
  ).toEqual(["identity"]);
});

test("after a 410 numbers may be missing", async () => {
  expect(await told([began, odd(answered, { reply: 410 }), odd(ended, { sequence: 5 })])).toEqual([]);
});
