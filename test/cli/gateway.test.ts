/** What the program does at a gateway: apps, calls, events, forwarding. One gateway for all of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Stage } from "../calls/stage";
import { adminKey, apiKey } from "../gateway";
import { Receiver } from "../receiver";
import { documents, start, voicegate } from "./voicegate";

let stage: Stage;
let env: Record<string, string>;
let folder: string;
beforeAll(async () => {
  stage = await Stage.open();
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  env = {
    VOICEGATE_URL: stage.gateway.url,
    VOICEGATE_APP_ID: "test",
    VOICEGATE_API_KEY: apiKey,
    ADMIN_API_KEY: adminKey,
  };
});
afterAll(async () => {
  await stage.close();
  await rm(folder, { recursive: true });
});

/** The call of this caller, once the app is told of it. */
async function callOf(caller: string): Promise<string> {
  const { source } = await stage.receiver.until(() =>
    stage.receiver.events.find(({ event, data }) => event === "call.new" && Object(data).caller_id === caller),
  );
  return source;
}

test("an app is made once, shown without its secrets, given a new one, set anew, and deleted", async () => {
  const create = [
    "apps",
    "create",
    "shop",
    "--webhook-url",
    "http://127.0.0.1:9999/x",
    "--did",
    "200,201",
    "--event",
    "dtmf",
  ];
  const made = await voicegate([...create, "--json"], env);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  const [app] = documents(made);
  expect(app).toMatchObject({ app_id: "shop", dids: ["200", "201"], events: ["dtmf"], api_key: expect.any(String) });
  const secret = String(app?.webhook_secret);
  expect(await voicegate(create, env)).toMatchObject({ status: 1, stderr: expect.stringContaining("--replace") });
  const [shown, listed, rotated] = await Promise.all([
    voicegate(["apps", "show", "shop"], env),
    voicegate(["apps", "list"], env),
    voicegate(["apps", "rotate", "shop"], env),
  ]);
  expect(shown.stdout).toMatch(/^dids +200, 201$/m);
  expect(listed.stdout).toMatch(/^shop +200 201 +http/m);
  expect(shown.stdout + listed.stdout).not.toMatch(/whsec_|api_key/);
  expect(rotated.stdout).toMatch(/^whsec_\S{44}\n$/);
  expect(rotated.stdout).not.toContain(secret);
  const replaced = await voicegate(["apps", "create", "shop", "--replace", "--did", "202", "--json"], env);
  expect(documents(replaced)).toEqual([expect.objectContaining({ webhook_url: "", dids: ["202"] })]);
  expect(await voicegate(["apps", "delete", "shop"], env)).toMatchObject({ status: 0, stdout: "shop is deleted\n" });
  const gone = await voicegate(["apps", "show", "shop"], env);
  expect(gone).toMatchObject({ status: 1, stderr: expect.stringContaining("App not found (404 app_not_found)") });
});

test("a simulated call is shown up to its end; what was is shown again, and a room's events, too", async () => {
  const running = start(["call", "100", "--from", "ann", "--press", "1#", "--hang-up-after", "0", "--json"], env);
  const session_uuid = await callOf("ann");
  await stage.done(session_uuid, "answer");
  const call = await running.ended;
  expect(call).toMatchObject({ status: 0, stderr: "" });
  const lines = documents(call);
  expect(lines[0]).toEqual({ what: "placed", session_uuid, did: "100", caller_id: "ann" });
  expect(lines.at(-1)).toMatchObject({ what: "ended", answered: true, by: "caller", cause: "NORMAL_CLEARING" });
  const names = lines.filter(({ what }) => what === "event").map(({ event }) => event);
  expect(names).toEqual((await stage.receiver.story(session_uuid)).map(({ event }) => event));
  expect(names.filter((name) => name === "dtmf")).toHaveLength(2);

  const [once, until, unknown] = await Promise.all([
    voicegate(["events", "tail", session_uuid, "--once"], env),
    voicegate(["events", "tail", session_uuid, "--until", "call.hangup", "--json"], env),
    voicegate(["events", "tail", "nobody"], env),
  ]);
  expect(once.status).toBe(0);
  expect(once.stdout.split("\n")).toHaveLength(names.length + 1);
  expect(once.stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}#1 {3}call\.new +caller_id=ann did=100 direction=inbound$/m);
  expect(documents(until).map(({ event }) => event)).toEqual(names);
  expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining("Session not found") });

  const room_id = await stage.room("standup");
  const tail = start(["events", "tail", room_id], env);
  await tail.prints(/conference\.created/);
  await stage.app("DELETE", `/conferences/${room_id}`);
  await tail.prints(/conference\.destroyed/);
  tail.child.kill("SIGINT");
  expect(await tail.ended).toMatchObject({ status: 0, stderr: "" });
});

test("a call that nobody answers is a failure; Ctrl-C hangs up", async () => {
  const running = start(["call", "100", "--from", "bea"], env);
  await running.prints(/call\.new/);
  running.child.kill("SIGINT");
  const { status, stdout } = await running.ended;
  expect(status).toBe(1);
  expect(stdout).toMatch(/Not answered, ended by app: NORMAL_CLEARING\n$/);
  const nobody = await voicegate(["call", "1"], { ...env, ADMIN_API_KEY: "wrong-key-wrong-key" });
  expect(nobody).toMatchObject({ status: 1, stderr: expect.stringContaining("Invalid admin API key") });
});

test("a real call: it rings, is answered, hears, keys what a script says once the app is told, and ends", async () => {
  const script = path.join(folder, "script.json");
  const steps = [
    { do: "wait_for", event: "playback.stopped" },
    { do: "press", digits: "42" },
  ];
  await writeFile(script, JSON.stringify(steps));
  const uri = `sip:100@127.0.0.1:${stage.sipPort};transport=tcp`;
  const running = start(["call", "--sip", uri, "--from", "cid", "--script", script, "--json"], env);
  const session_uuid = await callOf("cid");
  await stage.done(session_uuid, "answer");
  await stage.done(session_uuid, "playback/start", { urls: [stage.files.tone(1500)] });
  await stage.receiver.until(() => stage.receiver.of(session_uuid).filter(({ event }) => event === "dtmf")[1]);
  await stage.taken(session_uuid, "hangup");
  const call = await running.ended;
  expect(call).toMatchObject({ status: 0, stderr: "" });
  const lines = documents(call);
  const whats = new Set(lines.map(({ what }) => what));
  for (const what of ["calling", "ringing", "answered", "heard", "event", "press", "ended"])
    expect(whats).toContain(what);
  // A second of it may have begun or ended in silence.
  const levels = lines.flatMap(({ what, level }) => (what === "heard" && level !== null ? [Number(level)] : []));
  expect(Math.max(...levels)).toBeGreaterThan(-40);
  const end = lines.find(({ what }) => what === "ended");
  expect(end).toMatchObject({ by: "callee", reason: "NORMAL_CLEARING" });
  expect(lines.at(-1)).toMatchObject({ what: "event", event: "call.hangup" });
  const refused = start(["call", "--sip", `sip:100@127.0.0.1:${stage.sipPort}`, "--from", "dan"], env);
  await stage.taken(await callOf("dan"), "hangup", { cause: "USER_BUSY" });
  expect(await refused.ended).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/ringing \(180 Ringing\)[\s\S]*ended by the callee \(486\): Busy Here\n/),
  });
});

test("events are forwarded as signed webhooks, those of a call in order, and what is answered is shown", async () => {
  const receiver = new Receiver();
  const to = await receiver.listen();
  let alone = false;
  receiver.answer = async ({ event }) => {
    // Time enough for those behind it, if they did not wait.
    if (event === "call.new") await delay(200);
    if (event === "call.new") alone = receiver.attempts.length === 1;
    return event === "call.hangup" ? 500 : 204;
  };
  const session_uuid = await stage.answered();
  // From the oldest event on: it does not matter when the stream begins.
  const args = ["listen", "--forward-to", to, "--session", session_uuid, "--since", "0", "--json"];
  const running = start(args, env);
  receiver.secret = (await running.prints(/"secret":"(whsec_[^"]+)"/))[1] ?? "";
  await receiver.event("command.result", session_uuid);
  await stage.taken(session_uuid, "hangup");
  await running.prints(/"event":"call\.hangup".*\n/);
  running.child.kill("SIGINT");
  const ran = await running.ended;
  expect(ran).toMatchObject({ status: 0, stderr: "" });
  const [first, ...lines] = documents(ran);
  expect(first).toMatchObject({ forward_to: to });
  expect(alone).toBe(true);
  expect(lines.map(({ event }) => event)).toEqual((await stage.receiver.story(session_uuid)).map(({ event }) => event));
  expect(lines.map(({ forwarded }) => Object(forwarded).status)).toEqual([...lines.slice(1).map(() => 204), 500]);
  await receiver.close();
});
