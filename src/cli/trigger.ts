/** `voicegate trigger`: a signed sample of an event, from the document's own example, to a receiver. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { sign } from "../webhooks/signature";
import { type Command, text, texts, WrongUse } from "./command";
import { eventName, eventNames } from "./event_name";
import { receiverUrl, shownAnswer } from "./listen";
import { harmless } from "./output";
import { post } from "./post";

type Fields = Record<string, unknown>;

export const trigger: Command = {
  name: "trigger",
  summary: "send a signed sample of an event to a receiver",
  usage: "voicegate trigger <event> --to <url> --secret <whsec_…> [options]",
  options: {
    to: { type: "string", env: "WEBHOOK_URL", value: "url", about: "the receiver" },
    secret: { type: "string", env: "WEBHOOK_SECRET", value: "whsec_…", about: "what signs it" },
    set: {
      type: "string",
      multiple: true,
      value: "field=value",
      about: "another value: digit=7, data.digit=7, sequence=3",
    },
    id: { type: "string", value: "webhook-id", about: "the same twice is a repeat; made up without it" },
  },
  positionals: [{ name: "event", about: "its name, such as dtmf", suggestions: eventNames }],
  example:
    "voicegate trigger dtmf --to http://127.0.0.1:3000/webhooks --secret whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= --set digit=7",
  async run(given) {
    const { output } = given;
    const name = eventName(given.positionals[0] ?? "");
    const to = receiverUrl(text(given, "to"), "--to");
    const secret = text(given, "secret");
    if (secret === undefined) throw new WrongUse("which secret? --secret <whsec_…>, or WEBHOOK_SECRET");
    const event = sample(name);
    for (const each of texts(given, "set")) set(event, each);
    const body = JSON.stringify(event);
    // Its validators take their time to load, which no other command should.
    const { promised } = await import("../promised.js");
    for (const fault of promised().webhookErrors(name, body)) output.error(`Not as the contract has it: ${fault}`);
    const id = text(given, "id") ?? `msg_${randomUUID()}`;
    const answered = await post(to, id, body, (webhookId, at, signed) => sign([secret], webhookId, at, signed));
    if (output.json) output.print(JSON.stringify({ webhook_id: id, sent: event, ...answered }));
    else {
      output.print(`${body}\n${name} ${id}  ${shownAnswer(answered, output.colours)}`);
      if (answered.body) output.print(harmless(answered.body));
    }
    const { status } = answered;
    return status !== null && status >= 200 && status < 300 ? 0 : 1;
  },
};

/** The document's example of an event, as of now. */
function sample(name: string): Fields {
  const document: unknown = JSON.parse(readFileSync(path.join(__dirname, "../../../generated/openapi.json"), "utf8"));
  const media = ["webhooks", name, "post", "requestBody", "content", "application/json", "example"];
  const example = media.reduce<unknown>((at, key) => (isFields(at) ? at[key] : undefined), document);
  if (!isFields(example)) throw new Error(`the document has no example of ${name}`);
  return { ...example, timestamp: new Date().toISOString() };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `sequence=3` is of the frame, `digit=7` and `data.digit=7` of the data. What is JSON is taken as such, else as text. */
function set(event: Fields, assignment: string): void {
  const [, name = "", value = ""] = /^([^=]+)=([\s\S]*)$/.exec(assignment) ?? [];
  if (name === "") throw new WrongUse(`--set takes field=value, not ${JSON.stringify(assignment)}`);
  const { data } = event;
  const inData = name.startsWith("data.") || !Object.hasOwn(event, name);
  if (!inData) event[name] = meant(value, event[name]);
  else if (isFields(data)) {
    const field = name.replace(/^data\./, "");
    data[field] = meant(value, data[field]);
  }
}

/** A field that holds text keeps holding text: a digit is no number. */
function meant(text: string, before: unknown): unknown {
  if (typeof before === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: text.
    return text;
  }
}
