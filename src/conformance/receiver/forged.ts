/** What somebody else could send: nothing of it may be taken. */
import { createHmac } from "node:crypto";
import type { Check } from "../check";
import { signatureOf } from "../signature";
import type { Sending } from "./delivery";
import { kinds } from "./samples";
import type { Story, Told } from "./story";
import type { ReceiverWorld } from "./world";

const clause = "webhooks: signed by the Standard Webhooks rules";
/** 32 bytes that sign nothing. */
export const strangeSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

type Forge = (world: ReceiverWorld, told: Told, call: Story) => Sending | readonly Sending[];

/** An event that only seems to be genuine: after one that is, and before one that is. */
function forged(name: string, title: string, forge: Forge, profile: Check<ReceiverWorld>["profile"] = "full") {
  const run = async (world: ReceiverWorld) => {
    const call = await world.ringing();
    const told = call.next("dtmf");
    const what = `${title.charAt(0).toLowerCase()}${title.slice(1)}`.replace(/,$/, "");
    for (const sending of [forge(world, told, call)].flat()) await world.refused(told, sending, what);
    // Whoever was refused has locked nobody out.
    await world.taken(call.next("call.hangup"));
  };
  return { id: `signatures/${name}`, title: `${title} is refused`, clause, profile, run };
}

/** Its headers with others in place of theirs; undefined takes one away. */
function changed(sending: Sending, changes: Readonly<Record<string, string | undefined>>): Sending {
  const { repeat: _, ...rest } = sending;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...sending.headers, ...changes }))
    if (value !== undefined) headers[name] = value;
  return { ...rest, headers };
}

/** Signed rightly for another time: seconds, or what stands in the header. */
function timed(world: ReceiverWorld, told: Told, timestamp: string): Sending {
  const signature = signatureOf(world.settings.secret, told.id, timestamp, told.body);
  return changed(world.signed(told), { "webhook-timestamp": timestamp, "webhook-signature": signature });
}

const seconds = (off: number): string => String(Math.floor(Date.now() / 1000) + off);
const signature = (sending: Sending): string => sending.headers["webhook-signature"] ?? "";
const base64 = (sending: Sending): string => signature(sending).slice("v1,".length);

/** A letter of it in the other case. */
const otherCase = (text: string): string =>
  text.replace(/[a-zA-Z]/, (letter) => (letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase()));

/** With a key that is not the decoded secret. */
function keyed(world: ReceiverWorld, told: Told, key: string): Sending {
  const sending = world.signed(told);
  const content = `${told.id}.${sending.headers["webhook-timestamp"]}.${told.body}`;
  return changed(sending, { "webhook-signature": `v1,${createHmac("sha256", key).update(content).digest("base64")}` });
}

export const forgeries: readonly Check<ReceiverWorld>[] = [
  forged(
    "wrong_secret",
    "An event that is signed with another secret",
    (world, told) => world.signed(told, { secrets: [strangeSecret] }),
    "minimal",
  ),
  ...["webhook-id", "webhook-timestamp", "webhook-signature"].map((header) =>
    forged(
      `without_${header}`,
      `An event without ${header}`,
      (world, told) => [
        changed(world.signed(told), { [header]: undefined }),
        changed(world.signed(told), { [header]: "" }),
      ],
      "minimal",
    ),
  ),
  forged("without_any_header", "An event without a header of a webhook", (world, told) =>
    changed(world.signed(told), {
      "webhook-id": undefined,
      "webhook-timestamp": undefined,
      "webhook-signature": undefined,
    }),
  ),
  forged("malformed", "An event whose signature has another form", (world, told) => {
    const sending = world.signed(told);
    const hex = Buffer.from(base64(sending), "base64").toString("hex");
    return ["v1", "v1,", ",", "garbage", "v1,%%%%", `v1,${hex}`, base64(sending), `v1 ${base64(sending)}`].map((text) =>
      changed(sending, { "webhook-signature": text }),
    );
  }),
  forged("cut_short", "An event with the beginning of its signature", (world, told) => {
    const sending = world.signed(told);
    return [4, 20, 40].map((length) =>
      changed(sending, { "webhook-signature": signature(sending).slice(0, 3 + length) }),
    );
  }),
  forged("other_letter", "An event whose signature differs in the case of a letter", (world, told) => {
    const sending = world.signed(told);
    return changed(sending, { "webhook-signature": `v1,${otherCase(base64(sending))}` });
  }),
  forged("other_end", "An event whose signature differs at its end", (world, told) => {
    const sending = world.signed(told);
    const bytes = Buffer.from(base64(sending), "base64");
    bytes[31] = (bytes[31] ?? 0) ^ 0xff;
    return changed(sending, { "webhook-signature": `v1,${bytes.toString("base64")}` });
  }),
  forged("other_version", "An event whose signature is of another version alone", (world, told) => {
    const sending = world.signed(told);
    return ["v1a", "v2", "v0", "v11"].map((version) =>
      changed(sending, { "webhook-signature": `${version},${base64(sending)}` }),
    );
  }),
  forged("none_fits", "An event with several signatures of which none fits", (world, told) =>
    world.signed(told, { secrets: [strangeSecret, `whsec_${Buffer.alloc(24, 9).toString("base64")}`] }),
  ),
  forged(
    "other_body",
    "A body with the signature of another one",
    (world, told, call) => {
      const sending = world.signed(told);
      const other = call.at(told.sequence, "dtmf", { digit: "#", duration_ms: 90 });
      return [other.body, `${told.body} `, told.body.replace(":", ": "), told.body.replace("dtmf", "call.hangup")].map(
        (body) => ({ ...changed(sending, {}), body }),
      );
    },
    "minimal",
  ),
  forged("other_id", "An event with the signature of another webhook-id", (world, told) =>
    changed(world.signed(told), { "webhook-signature": signature(world.signed({ ...told, id: `${told.id}0` })) }),
  ),
  forged("other_time", "An event with the signature of another second", (world, told) =>
    changed(world.signed(told), { "webhook-timestamp": seconds(-20) }),
  ),
  forged("key_as_text", "An event signed with the text of the secret, not its bytes", (world, told) => [
    keyed(world, told, world.settings.secret),
    keyed(world, told, world.settings.secret.replace(/^whsec_/, "")),
  ]),
  forged("empty_key", "An event signed with an empty secret", (world, told) => [
    keyed(world, told, ""),
    keyed(world, told, "undefined"),
    keyed(world, told, "null"),
  ]),
  forged(
    "stale",
    "An event that was signed more than five minutes ago",
    (world, told) => [world.tolerance.beyond, 3600, 86_400].map((off) => timed(world, told, seconds(-off))),
    "minimal",
  ),
  forged("from_the_future", "An event that was signed more than five minutes from now", (world, told) =>
    [world.tolerance.beyond, 3600, 86_400].map((off) => timed(world, told, seconds(off))),
  ),
  forged("no_time", "An event whose webhook-timestamp is no time", (world, told) =>
    ["0", "now", "NaN", "-1", "9".repeat(30), new Date().toISOString()].map((text) => timed(world, told, text)),
  ),
  forged("milliseconds", "An event whose webhook-timestamp is in milliseconds", (world, told) =>
    timed(world, told, String(Date.now())),
  ),
  forged("odd_id", "A forged event with an odd webhook-id", (world, told) => {
    const odd = ["../../etc/passwd", "a b", "%00", "' OR 1=1 --", "<b>", "__proto__", "x".repeat(2000)];
    return odd.map((id) => changed(world.signed(told, { secrets: [strangeSecret] }), { "webhook-id": id }));
  }),
  forged("of_every_kind", "A forged event, whatever it tells of,", (world, told) =>
    kinds().map(({ name, example, ofCall }) => {
      const story = ofCall ? world.call() : world.room();
      return world.signed({ ...story.next(name, example), id: told.id }, { secrets: [strangeSecret] });
    }),
  ),
  forged("unknown_event", "A forged event of a kind that nobody knows", (world, told, call) =>
    world.signed({ ...call.next("call.transferred", {}), id: told.id }, { secrets: [strangeSecret] }),
  ),
  forged("no_json", "A forged body that is no JSON", (world, told) => [
    { ...changed(world.signed(told, { secrets: [strangeSecret] }), {}), body: "event=dtmf" },
    { ...changed(world.signed(told, { secrets: [strangeSecret] }), {}), body: "" },
  ]),
  forged("from_a_proxy", "A forged event that claims to come from the gateway's own address", (world, told) =>
    world.signed(told, {
      secrets: [strangeSecret],
      headers: { "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", Authorization: "Bearer webhook" },
    }),
  ),
];

export const secondHand: readonly Check<ReceiverWorld>[] = [
  {
    id: "signatures/known_event",
    title: "A forged repeat of an event that was taken is refused",
    clause,
    profile: "full",
    async run(world) {
      const call = world.call();
      const told = call.next("call.new");
      const { exchange } = await world.taken(told);
      const wrong = [
        world.signed(told, { secrets: [strangeSecret] }),
        changed(world.signed(told), { "webhook-signature": undefined }),
        timed(world, told, seconds(-360)),
      ];
      for (const sending of wrong) await world.refused(told, sending, "a forged repeat", [exchange]);
      await world.taken(told);
    },
  },
  {
    id: "signatures/captured",
    title: "The headers of a delivery that was taken open nothing for another body",
    clause,
    profile: "full",
    async run(world) {
      const call = world.call();
      const told = call.next("call.new");
      const { exchange } = await world.taken(told);
      const other = call.next("call.hangup");
      const captured = world.signed(told);
      await world.refused(other, { ...changed(captured, {}), body: other.body }, "a body under captured headers", [
        exchange,
      ]);
    },
  },
];
