/** `voicegate call`: rings at a gateway, by its sandbox or with a SIP phone, and shows what happens. */
import type { WebhookEvent } from "../client/index";
import { type Command, type Given, text, WrongUse } from "./command";
import { adminOptions, appOptions, type Connection, connect, refused } from "./connection";
import { eventLine } from "./event_line";
import { eventDocument } from "./events";
import { follow, refusalOf } from "./follow";
import { placeByPhone } from "./phone";
import { type Script, scriptOf, scriptOptions } from "./script";

export const call: Command = {
  name: "call",
  summary: "place a call, simulated or with a SIP phone, and show what happens",
  usage: "voicegate call <number> | --sip <uri> [options]",
  options: {
    ...appOptions,
    ...adminOptions,
    sip: { type: "string", value: "uri", about: "a real call: sip:100@127.0.0.1:5060, with ;transport=tcp over TCP" },
    from: { type: "string", default: "voicegate", value: "caller", about: "who calls" },
    "sip-user": { type: "string", env: "SIP_USER", value: "name", about: "where the callee asks for a password" },
    "sip-password": { type: "string", env: "SIP_PASSWORD", value: "password", about: "of --sip-user" },
    ...scriptOptions,
  },
  positionals: [{ name: "number", about: "the number that is dialled at the sandbox", optional: true }],
  example: "voicegate call 100 --from alice --press 12# --hang-up-after 2",
  about: () =>
    "It ends when the call does; Ctrl-C hangs up. The exit code is 0 when the call was answered, else 1. A real call shows\n" +
    "the app's events, too, where the app's credentials are known; a script's wait_for needs them for all but call.answered.",
  async run(given) {
    const script = await scriptOf(given);
    const uri = text(given, "sip");
    const [number] = given.positionals;
    if ((uri === undefined) === (number === undefined)) throw new WrongUse("whom to call? A number, or --sip <uri>");
    return uri === undefined ? placeInSandbox(given, number ?? "", script) : placeByPhone(given, uri, script);
  },
};

async function placeInSandbox(given: Given, did: string, script: Script): Promise<number> {
  const connection = connect(given, "app", "admin");
  const { client, url } = connection;
  const { output, signal } = given;
  const caller_id = text(given, "from") ?? "";
  const { data, error } = await client.createSandboxCall({ body: { did, caller_id, script } }, { signal });
  if (error) return refused(error, url, output);
  const { session_uuid } = data;
  if (output.json) output.print(JSON.stringify({ what: "placed", session_uuid, did, caller_id }));
  else output.print(`${caller_id} calls ${did} (simulated): session ${session_uuid}`);
  const leaving = () => void hangUp(connection, given, session_uuid);
  signal.addEventListener("abort", leaving);
  try {
    return await watch(connection, given, session_uuid);
  } finally {
    signal.removeEventListener("abort", leaving);
  }
}

/** A simulated caller has nobody who could put down for him: the app does. */
async function hangUp({ client, url }: Connection, { output }: Given, uuid: string): Promise<void> {
  const { error } = await client.hangup({ uuid });
  if (error && error.code !== "session_not_found") refused(error, url, output);
}

/** How long the end of a call that was hung up is waited for. */
const endMs = 5000;

/** Shows the events up to the end of the call. @returns the exit code */
async function watch({ client, url }: Connection, given: Given, session_uuid: string): Promise<number> {
  const { output, signal } = given;
  let answered = false;
  const enough = new AbortController();
  const timers = { last: undefined as NodeJS.Timeout | undefined };
  const patience = () => {
    timers.last = setTimeout(() => enough.abort(), endMs);
  };
  signal.addEventListener("abort", patience);
  try {
    for await (const event of follow(client, session_uuid, enough.signal)) {
      answered ||= event.event === "call.answered";
      if (output.json) output.print(JSON.stringify({ what: "event", ...eventDocument(event) }));
      else output.print(eventLine(event, output.colours));
      if (event.event !== "call.hangup") continue;
      summarize(given, event, answered);
      break;
    }
    return answered ? 0 : 1;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refused(refusal, url, output);
  } finally {
    signal.removeEventListener("abort", patience);
    clearTimeout(timers.last);
  }
}

function summarize({ output }: Given, { data }: WebhookEvent, answered: boolean): void {
  const { cause, by, duration_ms } = { cause: "", by: "", duration_ms: 0, ...data };
  if (output.json) output.print(JSON.stringify({ what: "ended", answered, cause, by, duration_ms }));
  else if (answered) output.print(`Ended by ${by} after ${(Number(duration_ms) / 1000).toFixed(1)} s: ${cause}`);
  else output.print(`Not answered, ended by ${by}: ${cause}`);
}
