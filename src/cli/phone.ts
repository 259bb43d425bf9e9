/** A call with a real SIP phone: what is heard and keyed on the line, and beside it what the app is told. */
import { type Progress, placeSipCall, type SipCall } from "../caller/call";
import type { Client } from "../client/index";
import { type Given, text, WrongUse } from "./command";
import { connect, isHere } from "./connection";
import { eventLine } from "./event_line";
import { eventDocument } from "./events";
import { follow } from "./follow";
import { harmless } from "./output";
import type { Script } from "./script";

/** How often what is heard is shown, in ms. */
const heardMs = 1000;
/** How long the app's last event is waited for, in ms. */
const endMs = 2000;
/** Below this, dBFS, nobody hears anything. */
const silence = -60;

/** @returns the exit code: 0 when the call was answered */
export async function placeByPhone(given: Given, uri: string, script: Script): Promise<number> {
  const { output, signal } = given;
  const client = watcher(given, uri);
  const awaited = script.find((step) => step.do === "wait_for" && step.event !== "call.answered");
  if (!client && awaited)
    throw new WrongUse("a script that waits for events needs the app that gets them: --url, --app-id and --api-key");
  const callerId = text(given, "from") ?? "";
  const began = performance.now();
  const say = (
    line: Progress | { readonly what: "heard"; readonly level: number | null; readonly packets: number },
  ) => {
    const ms = Math.round(performance.now() - began);
    if (output.json) output.print(JSON.stringify({ ms, ...line }));
    else output.print(`${(ms / 1000).toFixed(1).padStart(6)} s  ${shown(line)}`);
  };
  const following = new AbortController();
  const watching: { done: Promise<void>; told: Promise<void> } = { done: Promise.resolve(), told: Promise.resolve() };
  const told = (line: Progress) => {
    say(line);
    if (line.what !== "ringing" && line.what !== "answered") return;
    watching.done = watching.done.then(() => show(call));
  };
  let seen = false;
  const show = async (placed: SipCall | null) => {
    if (!client || !placed || seen || following.signal.aborted) return;
    const session_uuid = await sessionOf(client, uri, callerId);
    if (session_uuid === null) return;
    seen = true;
    watching.told = followed(client, session_uuid, given, placed, following.signal);
  };
  let call: SipCall | null = null;
  const username = text(given, "sip-user");
  const password = text(given, "sip-password");
  const login = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  call = await placeSipCall({ uri, callerId, script, told, ...login });
  const placed = call;
  const leave = () => void placed.hangUp();
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave);
  let packets = 0;
  const ear = setInterval(() => {
    const { heard } = placed;
    if (heard.packets === packets) return;
    packets = heard.packets;
    say({ what: "heard", level: Number.isFinite(heard.level) ? Math.round(heard.level) : null, packets });
  }, heardMs);
  const answered = await placed.answered.then(
    () => true,
    () => false,
  );
  await placed.ended;
  clearInterval(ear);
  signal.removeEventListener("abort", leave);
  await watching.done;
  // The app learns of the end a moment later.
  const enough = setTimeout(() => following.abort(), endMs);
  await watching.told;
  clearTimeout(enough);
  await placed.close();
  return answered ? 0 : 1;
}

/** Who may see the app's events: with the app's credentials, or the demo's where both are on this machine. */
function watcher(given: Given, uri: string): Client | null {
  const known = text(given, "app-id") !== undefined && text(given, "api-key") !== undefined;
  const host = /@([^;?]+)/.exec(uri)?.[1] ?? "";
  const here = URL.canParse(`http://${host}`) && isHere(`http://${host}`) && isHere(text(given, "url") ?? "");
  return known || here ? connect(given, "app").client : null;
}

/** The newest call of this caller to this number; null where the app has none, or cannot be asked: then only the phone is shown. */
async function sessionOf(client: Client, uri: string, callerId: string): Promise<string | null> {
  const number = /^sips?:([^@;]+)@/i.exec(uri)?.[1] ?? "";
  const { data } = await client.listSessions({ limit: 100 }, { retry: false });
  const found = data?.sessions.find(
    ({ caller_id, did }) => caller_id === callerId && did === decodeURIComponent(number),
  );
  return found?.session_uuid ?? null;
}

async function followed(client: Client, uuid: string, given: Given, call: SipCall, signal: AbortSignal): Promise<void> {
  const { output } = given;
  try {
    for await (const event of follow(client, uuid, signal)) {
      call.tell(event.event);
      if (output.json) output.print(JSON.stringify({ what: "event", ...eventDocument(event) }));
      else output.print(`  app     ${eventLine(event, output.colours)}`);
      if (event.event === "call.hangup") break;
    }
  } catch (error) {
    // The call goes on without: only a script that waits for an event would stand still.
    output.progress(`The app's events are not shown: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function shown(line: Progress | { readonly what: "heard"; readonly level: number | null }): string {
  switch (line.what) {
    case "calling":
      return `calling ${line.address}:${line.port} over ${line.transport}`;
    case "silence":
      return "no answer so far: is it a SIP server, and does a firewall let SIP pass?";
    case "trying":
      return "the other side is trying";
    case "authenticating":
      return `asked for a password (${line.status})`;
    case "ringing":
      return `ringing (${line.status} ${harmless(line.reason)})`;
    case "early_media":
      return "sound before the answer (early media)";
    case "answered":
      return `answered: ${line.codec}${line.keys ? "" : ", and no keys: the other side takes no RFC 4733 events"}`;
    case "press":
      return `pressed ${line.digits}`;
    case "tone":
      return `sang ${line.hz} Hz for ${line.ms} ms`;
    case "hold":
      return line.on ? "put on hold" : "taken off hold";
    case "heard":
      return line.level === null || line.level < silence ? "hears silence" : `hears ${line.level} dBFS`;
    case "ended":
      return `ended by ${line.by === "failure" ? "a failure" : `the ${line.by}`}${line.status === null ? "" : ` (${line.status})`}: ${harmless(line.reason)}`;
  }
}
