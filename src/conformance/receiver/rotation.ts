/** What is genuine, though its headers are not the usual ones: rotated secrets, clocks that differ, cases of names. */
import { type Check, Skipped } from "../check";
import { signatureOf } from "../signature";
import { strangeSecret } from "./forged";
import type { Manner, ReceiverWorld } from "./world";

const signed = "webhooks: signed by the Standard Webhooks rules";

const further: readonly Readonly<Record<string, string>>[] = [
  { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Request-ID": "kit-1" },
  { "User-Agent": "Voicegate/9.9 (+https://voice.example.com)", Accept: "*/*" },
];

/** A genuine event in another manner. */
function genuine(
  name: string,
  title: string,
  manners: (world: ReceiverWorld) => readonly Manner[],
): Check<ReceiverWorld> {
  return {
    id: `signatures/${name}`,
    title,
    clause: signed,
    profile: "full",
    async run(world) {
      const call = await world.ringing();
      for (const manner of manners(world)) await world.taken(call.next("dtmf"), manner);
    },
  };
}

export const rotation: readonly Check<ReceiverWorld>[] = [
  genuine(
    "one_fits",
    "Of several signatures one that fits is enough, wherever it stands",
    ({ settings: { secret } }) => [
      { secrets: [secret, strangeSecret] },
      { secrets: [strangeSecret, secret] },
      { secrets: [strangeSecret, strangeSecret, secret, strangeSecret] },
    ],
  ),
  {
    id: "signatures/unknown_version_beside",
    title: "A signature of an unknown version beside one that fits does no harm",
    clause: signed,
    profile: "full",
    async run(world) {
      const call = await world.ringing();
      const told = call.next("dtmf");
      const timestamp = String(Math.floor(Date.now() / 1000));
      const fits = signatureOf(world.settings.secret, told.id, timestamp, told.body);
      const other = `v1a,${Buffer.alloc(64, 5).toString("base64")}`;
      for (const value of [`${other} ${fits}`, `${fits} ${other}`])
        await world.taken(told, { headers: { "webhook-timestamp": timestamp, "webhook-signature": value } });
    },
  },
  genuine(
    "clock",
    "An event is taken when the clocks of both sides are less than five minutes apart",
    ({ tolerance }) => [{ clock: -240 }, { clock: 240 }, { clock: -tolerance.within }, { clock: tolerance.within }],
  ),
  {
    id: "signatures/header_case",
    title: "Names of headers count in any case",
    clause: "RFC 9110 section 5.1",
    profile: "full",
    async run(world) {
      const call = await world.ringing();
      for (const write of [capital, (name: string) => name.toUpperCase()]) {
        const told = call.next("dtmf");
        const { headers } = world.signed(told);
        const renamed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [write(name), value]));
        await world.takenAs(told, { ...world.signed(told), headers: renamed });
      }
    },
  },
  genuine("further_headers", "Further headers do no harm", () => further.map((headers) => ({ headers }))),
  {
    id: "signatures/old_secret",
    title: "The secret before the last one signs nothing any more",
    clause: "rotateWebhookSecret: the old secret signs as well for 24 h",
    profile: "full",
    async run(world) {
      const { secret, oldSecret } = world.settings;
      if (oldSecret === null) throw new Skipped("This needs a secret that is over (--old-secret).");
      const call = world.call();
      await world.taken(call.next("call.new"), { secrets: [secret, oldSecret] });
      const told = call.next("dtmf");
      await world.refused(
        told,
        world.signed(told, { secrets: [oldSecret] }),
        "an event that only the old secret signed",
      );
      await world.taken(call.next("call.hangup"));
    },
  },
];

/** `Webhook-Id` */
const capital = (name: string): string => name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
