/** Endpoints that answer what they should not, or read what came in the wrong way. */
import { setTimeout as delay } from "node:timers/promises";
import {
  type Event,
  type FaultyReceiver,
  faulty,
  type Incoming,
  type Memory,
  right,
  signatureOf,
  verified,
} from "./receiver";

type Take = (event: Event, incoming: Incoming, memory: Memory) => number | null | Promise<number | null>;

/** Answers otherwise where it says so. */
const takes = (name: string, about: string, make: () => Take): FaultyReceiver =>
  faulty(name, about, () => {
    const otherwise = make();
    return {
      async take(incoming, event, memory) {
        return (await otherwise(event, incoming, memory)) ?? right.take(incoming, event, memory);
      },
    };
  });

const statuses = (name: string, about: string, from: number, to: number): FaultyReceiver =>
  faulty(name, about, () => ({
    answer: (response, status, incoming) => right.answer(response, status === from ? to : status, incoming),
  }));

const known = /^(?:call\.(?:new|answered|hangup)|dtmf|digits\.|playback\.|recording\.|conference\.|command\.)/;
const fields = new Set(["event", "session_uuid", "room_id", "sequence", "timestamp", "app_id", "data"]);

const quick: readonly FaultyReceiver[] = [
  statuses("forged_accepted", "What is forged is dropped, and answered 200.", 401, 200),
  statuses("forged_gone", "What is forged is answered 410.", 401, 410),
  statuses("forged_fails", "What is forged is answered 500.", 401, 500),
  statuses("forged_redirected", "What is forged is sent to a page to log in.", 401, 302),
  statuses("broken_accepted", "What is no JSON is answered 200.", 400, 200),
  statuses("broken_fails", "What is no JSON is answered 500.", 400, 500),
  faulty("redirects", "Everything is redirected to another path.", () => ({ first: () => 308 })),
  takes(
    "unknown_fails",
    "An unknown event is a failure.",
    () =>
      ({ event }) =>
        known.test(event) ? null : 500,
  ),
  takes(
    "unknown_refused",
    "An unknown event is refused.",
    () =>
      ({ event }) =>
        known.test(event) ? null : 422,
  ),
  takes(
    "unknown_gone",
    "An unknown event is answered 410.",
    () =>
      ({ event }) =>
        known.test(event) ? null : 410,
  ),
  takes(
    "strict_frame",
    "An unknown field of the frame is refused.",
    () =>
      ({ body }) =>
        Object.keys(body).every((name) => fields.has(name)) ? null : 400,
  ),
  takes(
    "strict_data",
    "An unknown field in the data of dtmf is refused.",
    () =>
      ({ event, data }) =>
        event !== "dtmf" || Object.keys(data).every((name) => name === "digit" || name === "duration_ms") ? null : 400,
  ),
  takes(
    "no_nulls",
    "Null is refused.",
    () =>
      ({ data }) =>
        Object.values(data).includes(null) ? 400 : null,
  ),
  takes(
    "no_failures",
    "A command that failed is refused.",
    () =>
      ({ data }) =>
        data.success === false ? 400 : null,
  ),
  takes(
    "calls_only",
    "Events of rooms are refused.",
    () =>
      ({ body }) =>
        "room_id" in body ? 400 : null,
  ),
  takes("one_app", "The second app is refused.", () => {
    let first = "";
    return ({ app_id }) => {
      first ||= app_id;
      return app_id === first ? null : 403;
    };
  }),
  takes(
    "repeats_refused",
    "What was seen is answered 409.",
    () =>
      (_, { id }, { seen }) =>
        seen.has(id) ? 409 : null,
  ),
  takes("late_refused", "What is not newer than the last of its call is answered 400.", () => {
    const last = new Map<string, number>();
    return ({ source, sequence }, { id }, { seen }) => {
      if (sequence < (last.get(source) ?? 0) && !seen.has(id)) return 400;
      last.set(source, Math.max(sequence, last.get(source) ?? 0));
      return null;
    };
  }),
  takes("gap_refused", "What lies behind a gap waits for what never comes.", () => {
    const last = new Map<string, number>();
    return ({ source, sequence }) => {
      const next = (last.get(source) ?? 0) + 1;
      if (sequence > next) return 503;
      last.set(source, Math.max(sequence, next - 1));
      return null;
    };
  }),
  takes("beginning_needed", "A call whose call.new was not seen is unknown.", () => {
    const calls = new Set<string>();
    return ({ event, source, body }) => {
      if (event === "call.new") calls.add(source);
      return "room_id" in body || sourceIsKnown(calls, source, event) ? null : 404;
    };
  }),
  takes(
    "old_refused",
    "An event that happened an hour ago is refused.",
    () =>
      ({ timestamp }) =>
        Date.now() - Date.parse(timestamp) > 3_600_000 ? 400 : null,
  ),
  takes(
    "numbers_of_32_bits",
    "A high sequence is refused.",
    () =>
      ({ sequence }) =>
        sequence > 2 ** 31 ? 400 : null,
  ),
  takes("busy", "More than 16 at a time are refused.", () => {
    let underway = 0;
    return async () => {
      if (underway >= 16) return 429;
      underway++;
      await delay(30);
      underway--;
      return null;
    };
  }),
  faulty("small_bodies", "A body of more than 16 KiB is refused.", () => ({
    async read(request) {
      const bytes = await right.read(request);
      return bytes && bytes.length > 16_384 ? null : bytes;
    },
  })),
  faulty("quarter_bodies", "A body of more than 256 KiB is refused.", () => ({
    async read(request) {
      const bytes = await right.read(request);
      return bytes && bytes.length > 262_144 ? null : bytes;
    },
  })),
  faulty("first_piece", "Only the first piece of a body is read.", () => ({
    async read(request) {
      let first: Buffer | null = null;
      for await (const chunk of request) first ??= chunk;
      return first ?? Buffer.alloc(0);
    },
  })),
  faulty("text_of_pieces", "Each piece of a body is made text by itself.", () => ({
    async read(request) {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      return Buffer.from(text, "utf8");
    },
  })),
  faulty("long_answer", "Every answer is 100 KiB long.", () => ({
    answer: (response, status) => void response.writeHead(status === 204 ? 200 : status).end("x".repeat(102_400)),
  })),
  faulty("unending_answer", "An answer never ends.", () => ({
    answer: (response, status, incoming) => {
      if (status === 204 && incoming.bytes.includes("conference.destroyed")) response.writeHead(200).write("{");
      else right.answer(response, status, incoming);
    },
  })),
  faulty("signature_told", "A refusal tells which signature was expected.", () => ({
    answer(response, status, incoming) {
      const expected = status === 401 ? told(incoming) : "";
      response.writeHead(status).end(expected);
    },
  })),
  faulty("cut_off", "Unknown events have their connection broken.", () => ({
    answer(response, status, incoming) {
      if (verified(incoming) && incoming.bytes.includes("call.transferred")) response.destroy();
      else right.answer(response, status, incoming);
    },
  })),
];

/** Whoever tries them waits. */
const patient: readonly FaultyReceiver[] = [
  takes("slow_end", "The end of a call takes seven seconds.", () => async ({ event }) => {
    if (event === "call.hangup") await delay(7000);
    return null;
  }),
  takes("one_at_a_time", "Each takes 90 ms, and all others wait.", () => {
    let before: Promise<unknown> = Promise.resolve();
    return async () => {
      before = before.then(() => delay(90));
      await before;
      return null;
    };
  }),
  faulty("silent_connection", "The second request of a connection gets no answer.", () => {
    const used = new WeakSet<object>();
    return {
      answer(response, status, incoming) {
        const { socket } = response;
        if (socket && used.has(socket)) return;
        if (socket) used.add(socket);
        right.answer(response, status, incoming);
      },
    };
  }),
];

export const wrongOfAnswers: readonly FaultyReceiver[] = [
  ...quick,
  ...patient.map((receiver) => ({ ...receiver, patient: true })),
];

function told({ secret, id, headers, bytes }: Incoming): string {
  return `v1,${signatureOf(secret, id, String(headers["webhook-timestamp"]), bytes)}`;
}

const sourceIsKnown = (calls: ReadonlySet<string>, source: string, event: string): boolean =>
  event === "call.new" || calls.has(source);
