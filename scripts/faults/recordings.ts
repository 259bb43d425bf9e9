/** Faults of recordings and of commands whose effect can be heard or seen. */
import type { Fault } from "./fault";
import { type Field, field, type HttpAnswer, type HttpRequest, withBody, withField } from "./message";
import { answers, is, requests } from "./strokes";

const section9 = "contract §9, recording";
const ranges = "operation getRecording, RFC 9110 section 14";

const whole = (answer: HttpAnswer, request: HttpRequest) =>
  is(request, "getRecording") && answer.status === 200 && request.method === "GET" && answer.body.length > 44;

/** What is answered when a recording is fetched whole. */
function file(name: string, about: string, change: (body: Buffer, answer: HttpAnswer) => HttpAnswer): Fault {
  return answers([`recordings/${name}`, about, section9], (answer, request) =>
    whole(answer, request) ? change(answer.body, answer) : undefined,
  );
}

/** Samples of both sides. */
function stereo(body: Buffer, change: (left: number, right: number) => readonly [number, number]): Buffer {
  const out = Buffer.from(body);
  for (let at = 44; at + 4 <= out.length; at += 4) {
    const [left, right] = change(out.readInt16LE(at), out.readInt16LE(at + 2));
    out.writeInt16LE(left, at);
    out.writeInt16LE(right, at + 2);
  }
  return out;
}

/** One side alone, in a file that says so. */
function mono(body: Buffer): Buffer {
  const samples = Buffer.alloc((body.length - 44) >> 1);
  for (let at = 44, to = 0; at + 4 <= body.length; at += 4, to += 2) samples.writeInt16LE(body.readInt16LE(at), to);
  const head = Buffer.from(body.subarray(0, 44));
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt32LE(samples.length, 40);
  head.writeUInt32LE(samples.length + 36, 4);
  return Buffer.concat([head, samples]);
}

/** Half of what a head says. */
function halved(body: Buffer, at: number): Buffer {
  const out = Buffer.from(body);
  out.writeUInt32LE(Math.round(out.readUInt32LE(at) / 2), at);
  return out;
}

const is206 = (answer: HttpAnswer, request: HttpRequest) => is(request, "getRecording") && answer.status === 206;

export const recordings: readonly Fault[] = [
  file("truncated", "a recording lacks its end", (body, answer) =>
    withBody(answer, body.subarray(0, body.length - 3200)),
  ),
  file("length-in-head", "the head of a recording tells half of its length", (body, answer) =>
    withBody(answer, halved(body, 40)),
  ),
  file("mono", "a recording has one side", (body, answer) => withBody(answer, mono(body))),
  file("sides-swapped", "the caller is right", (body, answer) =>
    withBody(
      answer,
      stereo(body, (left, right) => [right, left]),
    ),
  ),
  file("silent-caller", "the caller is not recorded", (body, answer) =>
    withBody(
      answer,
      stereo(body, (_, right) => [0, right]),
    ),
  ),
  file("rate", "a recording says 16 kHz", (body, answer) => {
    const out = Buffer.from(body);
    out.writeUInt32LE(16_000, 24);
    return withBody(answer, out);
  }),
  file("type", "a recording is audio/x-wav", (_, answer) => withField(answer, "Content-Type", "audio/x-wav")),
  file("no-accept-ranges", "a recording does not say that it has ranges", (_, answer) =>
    withField(answer, "Accept-Ranges", null),
  ),
  file("etag-changes", "the ETag is another one each time", (_, answer) =>
    withField(answer, "ETag", `"${performance.now()}"`),
  ),
  requests(["recordings/range-ignored", "a range is ignored", ranges], (request) =>
    is(request, "getRecording") && field(request, "Range") ? withField(request, "Range", null) : undefined,
  ),
  requests(["recordings/if-range-ignored", "If-Range is ignored", ranges], (request) =>
    is(request, "getRecording") && field(request, "If-Range") ? withField(request, "If-Range", null) : undefined,
  ),
  answers(["recordings/range-one-less", "a range lacks its last byte", ranges], (answer, request) =>
    is206(answer, request) && request.method === "GET" ? withBody(answer, answer.body.subarray(0, -1)) : undefined,
  ),
  answers(
    ["recordings/content-range", "Content-Range does not know how long the file is", ranges],
    (answer, request) =>
      is206(answer, request)
        ? withField(answer, "Content-Range", (field(answer, "Content-Range") ?? "").replace(/\/\d+$/, "/1"))
        : undefined,
  ),
  answers(["recordings/range-200", "a range is answered 200", ranges], (answer, request) =>
    is206(answer, request) ? { ...answer, status: 200 } : undefined,
  ),
  requests(["recordings/suffix-range", "the last bytes are taken for the first", ranges], (request) => {
    const [, count] = /^bytes=-(\d+)$/.exec(field(request, "Range") ?? "") ?? [];
    return is(request, "getRecording") && count && count !== "0"
      ? withField(request, "Range", `bytes=0-${Number(count) - 1}`)
      : undefined;
  }),
  {
    name: "recordings/no-416",
    about: "a range behind the end is the whole file",
    clause: "error range_not_satisfiable",
    start: (place) => ({
      wants: (head) => is(head, "getRecording"),
      exchange: async (request, next) => {
        const answer = await next(request);
        if (answer.status !== 416 || request.passed) return answer;
        place.strike();
        return place.ask(withField(request, "Range", null));
      },
    }),
  },
  {
    name: "recordings/delete-nothing",
    about: "a recording that was deleted is still there",
    clause: "operation deleteRecording",
    start: (place) => ({
      wants: (head) => is(head, "deleteRecording"),
      exchange: async (request, next) => {
        const shown = await place.ask({ ...request, method: "HEAD", body: Buffer.alloc(0) });
        if (shown.status !== 200) return next(request);
        place.strike();
        const kept = /^(?:x-request-id|ratelimit|ratelimit-policy|date)$/i;
        const own: Field[] = [["Cache-Control", "no-store"]];
        const fields = [...shown.fields.filter(([name]) => kept.test(name)), ...own];
        return { ...shown, status: 204, fields, body: Buffer.alloc(0) };
      },
    }),
  },
];
