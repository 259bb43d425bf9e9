/** The live stream of an app's events, of real calls: with what was missed, one call's alone, silent, and its end. */
import { afterEach, expect, test } from "@jest/globals";
import { Reader } from "../api/reader";
import { opening, type Stage, stages } from "./stage";
import { told } from "./story";

const open = stages();
const readers: Reader[] = [];
afterEach(() => {
  for (const reader of readers.splice(0)) reader.destroy();
});

async function listen(stage: Stage, query = "", last?: string): Promise<Reader> {
  const headers = { ...stage.gateway.app, ...(last !== undefined && { "Last-Event-ID": last }) };
  const reader = await Reader.open(stage.gateway.url, `/api/v1/events${query}`, headers);
  readers.push(reader);
  await reader.until("retry: 1000\n\n");
  return reader;
}

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** The next event. */
async function frame(reader: Reader): Promise<Frame> {
  const text = await reader.until("\n\n");
  const [, id = "", event = "", data = ""] = /^id: (.*)\nevent: (.*)\ndata: (.*)\n\n$/.exec(text) ?? [];
  if (event === "") throw new Error(`no event: ${text}`);
  return { id, event, data };
}

async function frames(reader: Reader, last: string, source: string): Promise<Frame[]> {
  const all: Frame[] = [];
  for (;;) {
    const next = await frame(reader);
    all.push(next);
    if (next.event === last && next.data.includes(source)) return all;
  }
}

const bye = ["command.result hangup bye done", "call.hangup NORMAL_CLEARING by app"];
const linesOf = (all: readonly Frame[]): string[] => told(all.map(({ data }) => JSON.parse(data)));

test("each reader sees what the receiver gets, with the same ids; one call alone where it is named", async () => {
  const stage = await open();
  const all = await listen(stage);
  const first = await stage.sandbox();
  const one = await listen(stage, `?session_uuid=${first}`, "");
  const second = await stage.answered();
  await stage.done(first, "answer", { command_uid: "take" });
  for (const uuid of [second, first]) {
    await stage.taken(uuid, "hangup", { command_uid: "bye" });
    await stage.story(uuid);
  }
  const seen = await frames(all, "call.hangup", first);
  const attempts = new Map(stage.receiver.attempts.map((attempt) => [attempt.id, attempt]));
  expect(seen).toHaveLength(attempts.size);
  for (const { id, event, data } of seen) {
    const { session_uuid, ...rest } = JSON.parse(data);
    expect(attempts.get(id)).toEqual({ id, source: session_uuid, ...rest });
    expect(event).toBe(rest.event);
  }
  const own = await frames(one, "call.hangup", first);
  expect(linesOf(own).slice(-4)).toEqual([...opening.slice(1), ...bye]);
  expect(own.every(({ data }) => data.includes(first))).toBe(true);

  // Whoever comes back goes on behind what he has seen, each event once.
  for (const [n, { id }] of seen.entries()) {
    if (n === seen.length - 1) continue;
    const back = await listen(stage, "", id);
    expect(await frames(back, "call.hangup", first)).toEqual(seen.slice(n + 1));
    back.destroy();
    await back.ended;
  }
});

test("an app without a receiver has its stream all the same", async () => {
  const stage = await open({ app: { webhook_url: "" } });
  const reader = await listen(stage);
  const session_uuid = await stage.sandbox([{ do: "hangup" }]);
  expect(linesOf(await frames(reader, "call.hangup", session_uuid))).toEqual([
    "call.new",
    "call.hangup ORIGINATOR_CANCEL 487 by caller",
  ]);
});

test("ends in order with the gateway, after the last of its calls", async () => {
  const stage = await open();
  const reader = await listen(stage);
  const session_uuid = await stage.answered();
  await stage.gateway.gateway.shutdown();
  expect(await reader.ended).toBe(true);
  expect(linesOf(await frames(reader, "call.hangup", session_uuid))).toEqual([
    ...opening,
    "call.hangup SERVER_SHUTDOWN by gateway",
  ]);
  expect(reader.text).toBe("");
});

test("who hears nothing, because only other calls speak, hears that he is connected", async () => {
  const stage = await open();
  const silent = await listen(stage, "?session_uuid=nobody");
  await stage.story(await stage.sandbox([{ do: "hangup" }]));
  expect(await silent.until("\n\n")).toBe(":\n\n");
}, 60_000);
