/** `voicegate verify-signature`: why a webhook verifies, or which part of it is wrong. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { toleranceSeconds, verify } from "../webhooks/signature";
import { type Command, type Given, text, WrongUse } from "./command";
import { paint } from "./output";

const names = { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" } as const;

type Part = keyof typeof names;
type Headers = Readonly<Partial<Record<Part, string>>>;

/** What is wrong with one part of the request. */
interface Wrong {
  readonly part: "header" | "timestamp" | "secret" | "body" | "signature";
  readonly message: string;
}

export const verifySignature: Command = {
  name: "verify-signature",
  summary: "say whether a webhook's signature is right, and which part is wrong",
  usage: "voicegate verify-signature --secret <whsec_…> --headers <file> [--body <file>]",
  options: {
    secret: { type: "string", env: "WEBHOOK_SECRET", value: "whsec_…", about: "the app's webhook secret" },
    headers: { type: "string", value: "file", file: true, about: "header lines, or a JSON object of them" },
    id: { type: "string", value: "text", about: "webhook-id" },
    timestamp: { type: "string", value: "seconds", about: "webhook-timestamp" },
    signature: { type: "string", value: "v1,…", about: "webhook-signature" },
    body: {
      type: "string",
      default: "-",
      value: "file",
      file: true,
      about: "the body, byte for byte; - is standard input",
    },
    at: {
      type: "string",
      value: "time",
      about: "when it came: seconds since 1970, or 2025-03-01T12:00:00Z; now without it",
    },
  },
  positionals: [],
  example:
    "voicegate verify-signature --secret whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= --headers headers.txt --body body.json",
  async run(given) {
    const secret = text(given, "secret");
    if (secret === undefined) throw new WrongUse("which secret? --secret <whsec_…>, or WEBHOOK_SECRET");
    const headers = headersOf(given);
    const body = bodyOf(text(given, "body") ?? "-");
    const atMs = timeOf(text(given, "at"));
    const wrong = faults(headers, body, secret, atMs);
    const { output } = given;
    if (output.json) output.print(JSON.stringify({ valid: wrong.length === 0, wrong }));
    else if (wrong.length === 0) output.print(paint(output.colours, "green", "The signature is right."));
    else for (const { message } of wrong) output.print(`${paint(output.colours, "red", "wrong")}  ${message}`);
    return wrong.length === 0 ? 0 : 1;
  },
};

function bodyOf(file: string): string {
  return read(file === "-" ? 0 : file);
}

function read(file: string | 0): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new WrongUse(
      `${file === 0 ? "standard input" : file} cannot be read: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** Those of the options, else those of the file. */
function headersOf(given: Given): Headers {
  const file = text(given, "headers");
  const found: Partial<Record<Part, string>> = file === undefined ? {} : fromFile(read(file));
  for (const part of parts) {
    const value = text(given, part);
    if (value !== undefined) found[part] = value;
  }
  return found;
}
const parts: readonly Part[] = ["id", "timestamp", "signature"];

function fromFile(contents: string): Partial<Record<Part, string>> {
  const fields = contents.trimStart().startsWith("{") ? fromJson(contents) : fromLines(contents);
  const value = (name: string) => fields.find(([key]) => key.trim().toLowerCase() === name)?.[1].trim();
  const found: Partial<Record<Part, string>> = {};
  for (const part of parts) {
    const given = value(names[part]);
    if (given !== undefined) found[part] = given;
  }
  return found;
}

function fromJson(contents: string): [string, string][] {
  let fields: unknown;
  try {
    fields = JSON.parse(contents);
  } catch (error) {
    throw new WrongUse(`--headers is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  return Object.entries(Object(fields)).map(([name, value]) => [name, String(value)]);
}

function fromLines(contents: string): [string, string][] {
  return contents.split(/\r?\n/).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
  });
}

function timeOf(given: string | undefined): number {
  if (given === undefined) return Date.now();
  const ms = /^\d{1,12}$/.test(given) ? Number(given) * 1000 : Date.parse(given);
  if (Number.isNaN(ms)) throw new WrongUse(`--at is no time: ${given}`);
  return ms;
}

/** Empty: nothing is wrong. */
function faults(headers: Headers, body: string, secret: string, atMs: number): Wrong[] {
  const missing = parts.filter((part) => !headers[part]);
  if (missing.length > 0)
    return missing.map((part) => ({ part: "header", message: `The header ${names[part]} is missing.` }));
  const { id = "", timestamp = "", signature = "" } = headers;
  const wrong: Wrong[] = [];
  const stale = staleness(timestamp, atMs);
  if (stale !== null) wrong.push({ part: "timestamp", message: stale });
  // What is no time was never signed: the signature says nothing more.
  if (!/^\d{1,12}$/.test(timestamp)) return wrong;
  const fits = (other: { readonly secret?: string; readonly body?: string; readonly timestamp?: string }) => {
    const at = other.timestamp ?? timestamp;
    const given = { [names.id]: id, [names.timestamp]: at, [names.signature]: signature };
    // As of when it was signed: how old it is has been looked at.
    return /^\d{1,12}$/.test(at) && verify(given, other.body ?? body, other.secret ?? secret, Number(at) * 1000);
  };
  if (!fits({})) wrong.push(explained(fits, { id, timestamp, signature, body, secret }));
  return wrong;
}

function staleness(timestamp: string, atMs: number): string | null {
  if (!/^\d{1,12}$/.test(timestamp)) {
    const ms = /^\d{13}$/.test(timestamp) ? ": these are milliseconds" : "";
    return `webhook-timestamp must be seconds since 1970, and is ${JSON.stringify(timestamp)}${ms}.`;
  }
  const age = Math.round(atMs / 1000 - Number(timestamp));
  if (Math.abs(age) <= toleranceSeconds) return null;
  const way =
    age > 0
      ? "old: it was sent long ago, or this clock is ahead"
      : "ahead: the sender's clock is ahead, or this one behind";
  return `webhook-timestamp is ${Math.abs(age)} s ${way}; ${toleranceSeconds} s are allowed.`;
}

interface Request {
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
  readonly body: string;
  readonly secret: string;
}

/** Of a signature that does not fit: what it would fit, tried one by one. */
function explained(fits: (other: Partial<Request>) => boolean, request: Request): Wrong {
  const { signature, body, secret, id, timestamp } = request;
  if (!/(?:^| )v1,[A-Za-z0-9+/]{43}=(?: |$)/.test(signature))
    return {
      part: "signature",
      message: 'webhook-signature must be "v1," and 44 characters of base64; several are set apart by blanks.',
    };
  for (const [what, changed] of changes(body))
    if (changed !== body && fits({ body: changed })) return { part: "body", message: `The body was changed: ${what}.` };
  const trimmed = secret.trim();
  if (trimmed !== secret && fits({ secret: trimmed }))
    return { part: "secret", message: "The secret has blanks around it." };
  // A sender, or a receiver, that takes the secret as text.
  const plain = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
  if (signature.split(" ").includes(`v1,${plain}`))
    return {
      part: "secret",
      message: "It was signed with the secret as text: what follows whsec_ is base64, and its bytes are the key.",
    };
  if (!/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(trimmed))
    return { part: "secret", message: "The secret is none of the gateway's: those are whsec_ and base64." };
  return {
    part: "signature",
    message:
      "The signature fits neither: it was made with another secret, or id, time or body are not those that were signed.",
  };
}

/** What happens to bodies on their way, undone. */
function changes(body: string): readonly (readonly [string, string])[] {
  const undone: (readonly [string, string])[] = [
    ["a line break was added at its end", body.replace(/\r?\n$/, "")],
    ["the line break at its end was taken away", `${body}\n`],
    ["line breaks became CRLF", body.replaceAll("\r\n", "\n")],
    ["a byte order mark was put before it", body.replace(/^\uFEFF/, "")],
  ];
  try {
    undone.push(["it was parsed and written again, with other blanks", JSON.stringify(JSON.parse(body))]);
  } catch {
    // Not JSON: then that was not done to it.
  }
  return undone;
}
