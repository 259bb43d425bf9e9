/** Endpoints that are wrong about who has signed. */
import { type FaultyReceiver, faulty, right, type Verification, verified } from "./receiver";

/** A secret that was rotated away: for the kit's `--old-secret`. */
export const oldSecret = `whsec_${Buffer.from("a secret that is over, 32 bytes.").toString("base64")}`;

const checks = (name: string, about: string, how: Verification): FaultyReceiver =>
  faulty(name, about, () => ({ genuine: (incoming) => verified(incoming, how) }));

const digits = /^\d{1,12}$/;

export const wrongOfSignatures: readonly FaultyReceiver[] = [
  faulty("unverified", "Signatures are not looked at.", () => ({ genuine: () => true })),
  faulty("present", "It is enough that the three headers are there.", () => ({
    genuine: ({ headers }) =>
      ["webhook-id", "webhook-timestamp", "webhook-signature"].every((name) => headers[name] !== undefined),
  })),
  faulty("unsigned", "What has no signature passes.", () => ({
    genuine: (incoming) => incoming.headers["webhook-signature"] === undefined || verified(incoming),
  })),
  faulty("unsigned_empty", "An empty signature passes.", () => ({
    genuine: (incoming) => incoming.headers["webhook-signature"] === "" || verified(incoming),
  })),
  faulty("untimed", "What has no timestamp passes.", () => ({
    genuine: (incoming) => incoming.headers["webhook-timestamp"] === undefined || verified(incoming),
  })),
  faulty("nameless", "What has no webhook-id passes.", () => ({
    genuine: (incoming) => incoming.id === "" || verified(incoming),
  })),
  checks("first_signature", "Only the first of several signatures counts.", { pick: (parts) => parts.slice(0, 1) }),
  checks("last_signature", "Only the last of several signatures counts.", { pick: (parts) => parts.slice(-1) }),
  checks("two_signatures", "Only the first two signatures count.", { pick: (parts) => parts.slice(0, 2) }),
  checks("all_signatures", "Several signatures at once are refused.", {
    pick: (parts) => (parts.length === 1 ? parts : []),
  }),
  checks("any_version", "A signature of any version counts.", { version: () => true }),
  checks("versions_by_letter", "A version that begins with v1 counts.", { version: (name) => name.startsWith("v1") }),
  checks("timeless", "However old it is, it passes.", { intime: () => true }),
  checks("future", "What is signed for later passes.", { intime: (off, text) => digits.test(text) && off >= -300 }),
  checks("past", "What was signed long ago passes.", { intime: (off, text) => digits.test(text) && off <= 300 }),
  checks("patient", "An hour is let pass.", { intime: (off, text) => digits.test(text) && Math.abs(off) <= 3600 }),
  checks("impatient", "A minute is let pass.", { intime: (off, text) => digits.test(text) && Math.abs(off) <= 60 }),
  checks("not_a_number", "A timestamp that is no number is not too old.", { intime: (off) => !(Math.abs(off) > 300) }),
  checks("milliseconds", "Milliseconds are taken for a timestamp, too.", {
    intime: (off, text) => Math.abs(text.length > 11 ? Number(text) / 1000 - Date.now() / 1000 : off) <= 300,
  }),
  checks("beginning", "The beginning of a signature is enough.", {
    equal: (given, expected) => expected.startsWith(given),
  }),
  checks("half", "The first half of a signature is compared.", {
    equal: (given, expected) => given.slice(0, 22) === expected.slice(0, 22),
  }),
  checks("any_case", "Letters are compared in any case.", {
    equal: (given, expected) => given.toLowerCase() === expected.toLowerCase(),
  }),
  faulty("empty_key", "A signature by an empty secret counts as well.", () => ({
    genuine: (incoming) => verified(incoming, { secrets: [incoming.secret, ""] }),
  })),
  faulty("old_secret", "The secret before counts for ever.", () => ({
    genuine: (incoming) => verified(incoming, { secrets: [incoming.secret, oldSecret] }),
  })),
  checks("parsed_again", "The signature is checked over JSON that was parsed and written again.", { body: again }),
  checks("latin", "The body is read as Latin-1.", { body: (bytes) => bytes.toString("latin1") }),
  checks("trimmed", "Blanks around the body are dropped before it is checked.", {
    body: (bytes) => bytes.toString("utf8").trim(),
  }),
  faulty("known_events", "Only events that are known are verified.", () => ({
    genuine: (incoming) =>
      !/"event":"(?:call|dtmf|playback)/.test(incoming.bytes.toString("utf8")) || verified(incoming),
  })),
  faulty("known_ids", "What was seen before is not verified again.", () => ({
    first: (incoming, memory) => (memory.seen.has(incoming.id) ? 204 : right.first(incoming, memory)),
  })),
  faulty("own_address", "What says that it comes from the gateway's host is not verified.", () => ({
    genuine: (incoming) => incoming.headers["x-forwarded-for"] === "127.0.0.1" || verified(incoming),
  })),
  faulty("exact_names", "Names of headers count only in lower case.", () => ({
    genuine: (incoming) => incoming.rawHeaders.includes("webhook-id") && verified(incoming),
  })),
  faulty("captured", "Headers that were right once are right for any body.", () => {
    const known = new Set<string>();
    return {
      genuine(incoming) {
        const signature = String(incoming.headers["webhook-signature"]);
        if (known.has(signature)) return true;
        if (!verified(incoming)) return false;
        known.add(signature);
        return true;
      },
    };
  }),
];

function again(bytes: Buffer): string {
  try {
    return JSON.stringify(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}
