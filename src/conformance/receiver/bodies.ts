/** Bodies that are not those of the examples: unknown, odd, large, and none at all. */
import { Broken, type Check, Skipped } from "../check";
import { type Data, exampleOf } from "./samples";
import { type Manner, type ReceiverWorld, said } from "./world";

const asTheyCame = "webhooks: signed over the body as it goes over the wire";
const ignore = "Clients and receivers must ignore fields and events that they do not know.";

const full = (id: string, title: string, clause: string, run: Check<ReceiverWorld>["run"]): Check<ReceiverWorld> => {
  return { id: `bodies/${id}`, title, clause, profile: "full", run };
};

/** Written in ways that JSON allows, and signed as it is written. */
function written(id: string, title: string, ...writes: readonly ((body: Data) => string)[]): Check<ReceiverWorld> {
  return full(id, title, asTheyCame, async (world) => {
    const call = await world.ringing();
    for (const write of writes) await world.taken(call.written("playback.started", write));
  });
}

/** A genuine event that goes over the wire in another way. */
function sent(id: string, title: string, manner: Manner): Check<ReceiverWorld> {
  return full(id, title, "RFC 9112 section 6", async (world) => {
    const call = world.call();
    const data = { ...exampleOf("call.new"), caller_id: "Zoë Łukasz 🎧 日本" };
    await world.taken(call.next("call.new", data), manner);
    await world.taken(call.next("call.hangup"), manner);
  });
}

/** Signed rightly, but no event: somebody has made a mistake, and it must be seen. */
function noEvent(id: string, title: string, ...texts: readonly ((body: string) => string)[]): Check<ReceiverWorld> {
  return full(id, `${title} is refused, although it is signed`, "webhooks: the body of an event", async (world) => {
    const call = world.call();
    await world.taken(call.next("call.new"));
    for (const write of texts) {
      const told = call.written("dtmf", (body) => write(JSON.stringify(body)));
      await world.refused(told, world.signed(told), title.charAt(0).toLowerCase() + title.slice(1));
    }
    await world.taken(call.next("call.hangup"));
  });
}

const nested = (body: Data): object => (typeof body.data === "object" && body.data !== null ? body.data : {});

/** The longest list of files that a command may name, as its events tell it: over half a mebibyte. */
function longest(): Data {
  const urls = Array.from({ length: 128 }, (_, i) => `https://media.example.com/${i}/`.padEnd(2048, "a"));
  return { ...exampleOf("playback.started"), urls, file_path: urls.join(",") };
}

export const bodies: readonly Check<ReceiverWorld>[] = [
  {
    ...full("unknown_event", "An event of a kind that is not known is taken and ignored", ignore, async (world) => {
      const call = world.call();
      await world.taken(call.next("call.new"));
      await world.taken(call.next("call.transferred", { to: "sip:200@example.com" }), {}, "at most once");
      await world.taken(call.next("x", {}), {}, "at most once");
      await world.taken(call.next("constructor", {}), {}, "at most once");
      await world.taken(call.next("call.hangup"));
    }),
    profile: "minimal",
  },
  full("unknown_fields", "Fields that are not known are ignored, whatever is in them", ignore, async (world) => {
    const call = world.call();
    const more = { queue: "sales", weight: 1.5, tags: ["a", null], of: { depth: { deeper: [] } }, none: null };
    await world.taken(call.written("call.new", (body) => JSON.stringify({ ...body, ...more })));
    await world.taken(call.written("dtmf", (body) => JSON.stringify({ ...body, data: { ...nested(body), ...more } })));
    await world.taken(call.written("call.hangup", (body) => JSON.stringify({ version: 2, ...body })));
  }),
  full(
    "old_event",
    "An event that happened long ago is taken: its delivery is fresh",
    "listDeadLetters: kept 7 days",
    async (world) => {
      const call = world.call();
      for (const [hours, name] of [
        [167, "call.new"],
        [24, "dtmf"],
        [0.25, "call.hangup"],
      ] as const) {
        const timestamp = new Date(Date.now() - hours * 3_600_000).toISOString();
        await world.taken(call.written(name, (body) => JSON.stringify({ ...body, timestamp })));
      }
    },
  ),
  written(
    "blanks",
    "Blanks and line breaks count as they came",
    (body) => JSON.stringify(body, null, 2),
    (body) => {
      return `\n ${JSON.stringify(body).replaceAll('":', '" :\t')}\r\n`;
    },
  ),
  written("key_order", "The order of fields counts as it came", (body) =>
    JSON.stringify(Object.fromEntries(Object.entries(body).reverse())),
  ),
  written(
    "escapes",
    "Escaped characters count as they came",
    (body) => JSON.stringify(body).replaceAll("/", "\\/"),
    (body) => JSON.stringify(body).replaceAll("m", "\\u006d"),
    (body) => JSON.stringify(body).replaceAll("e", "\\u0065"),
  ),
  full("unicode", "Text in any script counts as it came", asTheyCame, async (world) => {
    const names = [
      "Jürgen Groß",
      "Ελένη",
      "山田太郎",
      "👩‍👩‍👧",
      "e\u0301 ≠ é",
      "\u2028\u2029\ufeff",
      '"\\/\b\t',
      "\u202eabc",
      "\u007f",
    ];
    for (const caller_id of names)
      await world.taken(world.call().next("call.new", { ...exampleOf("call.new"), caller_id }));
  }),
  full("large", "An event of 64 KiB is taken", "webhooks: playback.started", async (world) => {
    const call = await world.ringing();
    const urls = Array.from({ length: 64 }, (_, i) => `https://media.example.com/${i}/`.padEnd(1000, "b"));
    await world.taken(
      call.next("playback.started", {
        ...exampleOf("playback.started"),
        urls,
        file_path: urls.join(",").slice(0, 500),
      }),
    );
  }),
  full(
    "longest",
    "The longest event that there can be is taken",
    "startPlayback: 128 urls of 2048 characters",
    async (world) => {
      const call = await world.ringing();
      await world.taken(call.next("playback.started", longest()));
      await world.taken(call.next("call.hangup"));
    },
  ),
  sent("pieces", "A body that comes in pieces, cut within a character, is put together", { way: "pieces" }),
  full("chunked", "A body without a length, as proxies make them, is taken", "RFC 9112 section 6.1", async (world) => {
    const told = world.call().next("call.new");
    world.expect(told.id, "at most once");
    const answer = await world.send(world.signed(told, { way: "chunked" }));
    const { status } = answer;
    if (status !== null && status >= 200 && status < 300) return;
    // RFC 9112 lets a server ask for a length, and the gateway always tells one.
    if (status === null || (status >= 400 && status < 500 && status !== 410))
      throw new Skipped(`A body without a length is not taken (${said(answer)}); the gateway sends none.`);
    throw new Broken({ expected: "2xx, or 411", got: said(answer), exchanges: [answer.exchange] });
  }),
  full("large_in_pieces", "A long body that comes in pieces is put together", "RFC 9112 section 6", async (world) => {
    const call = await world.ringing();
    await world.taken(call.next("playback.started", longest()), { way: "pieces" });
  }),
  noEvent(
    "no_json",
    "A body that is no JSON",
    () => "event=dtmf&digit=5",
    () => "<event/>",
  ),
  noEvent("cut_short", "A JSON body that breaks off", (body) => body.slice(0, -20)),
  noEvent("empty", "An empty body", () => ""),
  full("high_numbers", "A sequence may be high", "webhooks: sequence", async (world) => {
    const call = await world.ringing();
    for (const sequence of [70_000, 70_001, 2 ** 31 + 1])
      await world.taken(call.at(sequence, "dtmf", exampleOf("dtmf")));
  }),
];
