/** A recording is fetched in parts. */
import { setTimeout as delay } from "node:timers/promises";
import { type Check, Skipped } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import type { Answer, JsonObject } from "../ground/client";
import type { Delivery } from "../ground/endpoint";
import { expectSame, expectThat } from "../ground/expectation";
import { withCalls } from "../ground/on_call";
import { orWithout } from "../requests/recipes";
import type { World } from "../world";

const full = { profile: "full" } as const;
/** For a file to be whole. */
export const wholeMs = 20_000;

/** @throws Skipped when the gateway does not record */
export async function start(call: KitCall, uid: string): Promise<Delivery> {
  const answer = await call.command("startRecording", { command_uid: uid });
  orWithout(answer);
  expectStatus(answer, 202);
  return call.app.endpoint.result(String(answer.body?.operation_id));
}

/** Where a recording is. */
export const pathOf = (recording_id: unknown) => `/api/v1/recordings/${recording_id}`;

/** One of the whole run, to be fetched: of more than a second. */
export function recorded(
  world: World,
): Promise<{ readonly app: KitApp; readonly data: JsonObject; readonly whole: Answer }> {
  return world.once("recording", async () => {
    let data: JsonObject = {};
    await withCalls(world, 1, async ({ call }) => {
      await start(call, "tape");
      await delay(1200);
      await call.done("stopRecording");
      ({ data } = await call.event("recording.completed", 0, wholeMs));
    });
    if (data.recording_url === null) throw new Skipped(`The recording is not to be had: ${data.error}`);
    const app = await world.main();
    const whole = await app.get(pathOf(data.recording_id));
    expectStatus(whole, 200);
    return { app, data, whole };
  });
}

/** A part of the recording: what is asked for, and what is to come. */
interface Part {
  readonly id: string;
  readonly title: string;
  readonly range: (length: number) => string;
  /** First and last byte; null: the whole file; "none": it is refused. */
  readonly wanted: (length: number) => readonly [number, number] | null | "none";
}

const parts: readonly Part[] = [
  { id: "first", title: "The first bytes", range: () => "bytes=0-43", wanted: () => [0, 43] },
  { id: "middle", title: "Some bytes in the middle", range: () => "bytes=100-1099", wanted: () => [100, 1099] },
  { id: "one", title: "One byte", range: () => "bytes=0-0", wanted: () => [0, 0] },
  {
    id: "open",
    title: "All from some byte on",
    range: (length) => `bytes=${length - 10}-`,
    wanted: (length) => [length - 10, length - 1],
  },
  { id: "suffix", title: "The last bytes", range: () => "bytes=-5", wanted: (length) => [length - 5, length - 1] },
  {
    id: "beyond",
    title: "More than there is: up to the end",
    range: () => "bytes=44-999999999",
    wanted: (length) => [44, length - 1],
  },
  {
    id: "long-suffix",
    title: "A suffix longer than the file: all of it",
    range: () => "bytes=-999999999",
    wanted: (length) => [0, length - 1],
  },
  { id: "behind", title: "What begins behind the end", range: (length) => `bytes=${length}-`, wanted: () => "none" },
  { id: "nothing", title: "The last none", range: () => "bytes=-0", wanted: () => "none" },
  { id: "malformed", title: "A malformed range is ignored", range: () => "bytes=2-1", wanted: () => null },
  { id: "unit", title: "A range of another unit is ignored", range: () => "items=0-1", wanted: () => null },
  { id: "several", title: "Several ranges are ignored", range: () => "bytes=0-0,-1", wanted: () => null },
];

export const ranges: readonly Check<World>[] = [
  ...parts.map(({ id, title, range, wanted }): Check<World> => {
    return {
      ...full,
      id: `recordings/range/${id}`,
      title: `A range of a recording: ${title.toLowerCase()}`,
      clause: "getRecording: Range",
      async run(world) {
        const { app, data, whole } = await recorded(world);
        const { length } = whole.bytes;
        const answer = await app.get(pathOf(data.recording_id), { Range: range(length) });
        expectPart(answer, whole, wanted(length));
      },
    };
  }),
  {
    ...full,
    id: "recordings/if-range",
    title: "A range is of the version that If-Range names, else the whole file is sent",
    clause: "getRecording: If-Range",
    async run(world) {
      const { app, data, whole } = await recorded(world);
      const tag = String(whole.headers.etag);
      const path = pathOf(data.recording_id);
      const same = await app.get(path, { Range: "bytes=0-9", "If-Range": tag });
      expectPart(same, whole, [0, 9]);
      for (const other of ['"another"', `W/${tag}`]) {
        expectPart(await app.get(path, { Range: "bytes=0-9", "If-Range": other }), whole, null);
      }
    },
  },
];

/** @param wanted first and last byte; null: all */
function expectPart(answer: Answer, whole: Answer, wanted: readonly [number, number] | null | "none"): void {
  const about = { answers: [answer] };
  const { length } = whole.bytes;
  if (wanted === "none") {
    expectSame("code", answer.body?.code, "range_not_satisfiable", about);
    return;
  }
  const [first, last] = wanted ?? [0, length - 1];
  expectSame("status", answer.status, wanted ? 206 : 200, about);
  const range = wanted ? `bytes ${first}-${last}/${length}` : undefined;
  expectSame("Content-Range", answer.headers["content-range"], range, about);
  expectSame("ETag", answer.headers.etag, whole.headers.etag, about);
  const bytes = whole.bytes.subarray(first, last + 1);
  expectSame("Content-Length", answer.headers["content-length"], String(bytes.length), about);
  expectThat(
    answer.bytes.equals(bytes),
    `bytes ${first} to ${last} of the file`,
    `${answer.bytes.length} bytes`,
    about,
  );
}
