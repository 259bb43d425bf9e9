/** Every block of the README is run as it stands, against free ports instead of those it names. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readConfig, variables } from "../../src/config";
import { Client } from "../api/client";
import { RedisServer } from "../redis/server";
import { pasted } from "./pasted";
import { Program, root } from "./program";

const readme = readFileSync(path.join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
const pending = new Set(blocks);

/** The one block that has this in it; each may be asked for once. */
function block(part: string): string {
  const [found, ...others] = [...pending].filter((text) => text.includes(part));
  if (found === undefined || others.length > 0) throw new Error(`${others.length} more blocks have ${part}`);
  pending.delete(found);
  return found;
}

let development: Program;
/** When it was started. */
let begun = 0;
let url: string;

beforeAll(async () => {
  // `npm ci` is what made this tree; a second one would take the compiled tests away from under us.
  const [install, start] = block("npm ci").trim().split(" && ");
  expect([install, start]).toEqual(["npm ci", "npm start"]);
  begun = performance.now();
  development = new Program("node", ["dist/src/cli/voicegate.js", "dev"], { PORT: "0", SIP_PORT: "0" });
  url = (await development.prints(/API +(http:\/\/\S+)/))[1] ?? "";
  await development.prints(/Ctrl-C stops it/);
});

afterAll(async () => {
  development.interrupt();
  await development.ended();
});

/** What the lines print, of which none may be an error. */
async function paste(lines: string, before = ""): Promise<string> {
  const { stdout, stderr, status } = await pasted(url, `${lines}\necho; echo "session=$SESSION"`, before);
  expect({ status, stderr, wrong: stdout.includes('"success":false') }).toEqual({
    status: 0,
    stderr: "",
    wrong: false,
  });
  return stdout;
}

async function place(call: object): Promise<unknown> {
  const headers = { "X-Admin-API-Key": "demo-admin-key-0123456789" };
  const placed = await new Client(url).request({ method: "POST", path: "/admin/sandbox/calls", headers, body: call });
  return placed.body?.session_uuid;
}

const sessionOf = (stdout: string) => /session=(\S+)/.exec(stdout)?.[1] ?? "none";

test("npm start runs the development mode that these tests start", () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  expect(scripts.start).toMatch(/ && node dist\/src\/cli\/voicegate\.js dev$/);
});

test("the first minute: a simulated call is answered and hears a tone, and each step is printed", async () => {
  const lines = block("playback/start");
  const stdout = await paste(lines);
  expect(stdout.match(/"status":"in_progress"/g)).toHaveLength(2);
  for (const event of ["call.new", "call.answered", "playback.started", "command=playback/start .*success=true"])
    await development.prints(new RegExp(event));
  // For people to read: what is wanted is less than a minute behind the install.
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  process.stdout.write(`from the start to the first call's webhooks: ${seconds} s\n`);
  // The gateway prints the same lines, but for the order of what nobody reads.
  const printed = await development.prints(/^SESSION=.*\n.*\n.*$/m);
  expect(`${printed[0]}\n`).toBe(lines.replaceAll("http://127.0.0.1:8080", url));

  const session = sessionOf(stdout);
  const shown = await paste(block('"cause"'), `SESSION=${session}`);
  expect(shown).toContain('"state":"answered"');
  await development.prints(/call\.hangup +cause=NORMAL_CLEARING .*by=app/);
});

test("a scripted caller presses its digits and hangs up", async () => {
  const stdout = await paste(block('"script"'), "SESSION=none");
  const { session_uuid } = JSON.parse(stdout.split("\n")[0] ?? "");
  const headers = { "X-App-ID": "demo", "X-API-Key": "demo-api-key-0123456789" };
  const path = `/api/v1/sessions/${session_uuid}/commands/answer`;
  await new Client(url).request({ method: "POST", path, headers, body: {} });
  await development.prints(/dtmf +digit=# /);
  await development.prints(/call\.hangup .*by=caller/);
});

test("the first real call: the newest call is answered, and digits are asked for", async () => {
  const session_uuid = await place({ did: "100", caller_id: "softphone" });
  const answered = await paste(block("sessions[0]"));
  expect(sessionOf(answered)).toBe(session_uuid);
  await paste(block("play_and_get_digits"), `SESSION=${session_uuid}`);
  await development.prints(/command=play_and_get_digits .*success=true/);
});

test("a conference, a recording, and the events again", async () => {
  const session_uuid = await place({ did: "100" });
  const headers = { "X-App-ID": "demo", "X-API-Key": "demo-api-key-0123456789" };
  const answer = `/api/v1/sessions/${session_uuid}/commands/answer`;
  await new Client(url).request({ method: "POST", path: answer, headers, body: {} });
  await development.prints(/command=answer .*success=true/);
  const room = await paste(block("conference/join"), `SESSION=${session_uuid}`);
  expect(room).toContain('"name":"standup"');
  await development.prints(/conference\.member\.joined/);
  await development.prints(/conference\.play\.started/);
  await paste(block("record/start"), `SESSION=${session_uuid}`);
  await development.prints(/recording\.completed/);
  expect(await paste(block("/events?after=0"), `SESSION=${session_uuid}`)).toContain(
    '"event":"conference.member.joined"',
  );
});

test("the example lets in who knows the PIN", async () => {
  const [command, ...args] = block("examples/ivr.js").trim().split(" ");
  const ivr = new Program(command ?? "", args, { VOICEGATE_URL: url });
  try {
    await ivr.prints(/ivr ready/);
    const script = [
      { do: "wait_for", event: "command.result" },
      { do: "wait_for", event: "command.result" },
      { do: "press", digits: "1234" },
      { do: "wait_for", event: "playback.started" },
      { do: "hangup" },
    ];
    await place({ did: "200", script });
    await ivr.prints(/playback\.started/);
    await ivr.prints(/call\.hangup/);
  } finally {
    ivr.interrupt();
    await ivr.ended();
  }
});

test("production with Redis: apps outlive the process, in a Redis that is set up as told", async () => {
  const lines = block("REDIS_URL").trim();
  const conf = /^```conf\n([\s\S]*?)^```$/m.exec(readme)?.[1]?.trim().split("\n") ?? [];
  const redis = await RedisServer.start({ lines: conf });
  try {
    expect(await redis.command("CONFIG", "GET", "appendonly")).toEqual(["appendonly", "yes"]);
    expect(await redis.command("CONFIG", "GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    const command = lines.replace("redis://127.0.0.1:6379", redis.url);
    const app = { path: "/admin/apps/acme", headers: { "X-Admin-API-Key": "change-me-0123456789" } };
    const body = { webhook_url: "" };
    for (const request of [
      { method: "POST", ...app, body },
      { method: "GET", ...app },
    ]) {
      const serve = new Program("bash", ["-c", command], { PORT: "0", SIP_PORT: "0" });
      const [, api = ""] = await serve.prints(/"url":"(http:\/\/127\.0\.0\.1:\d+)"/);
      expect(await new Client(api).request(request)).toMatchObject({ status: 200, body: { app_id: "acme" } });
      serve.interrupt("SIGTERM");
      await serve.ended();
    }
  } finally {
    await redis.stop();
  }
});

test("production: serve reads the environment alone and ends in order", async () => {
  const lines = block("npm run serve").trim();
  expect(lines).toBe("ADMIN_API_KEY=change-me-0123456789 npm run serve");
  const serve = new Program("bash", ["-c", lines], { PORT: "0", SIP_PORT: "0" });
  await serve.prints(/"url":"http:\/\/127\.0\.0\.1:\d+"/);
  serve.interrupt("SIGTERM");
  await serve.prints(/"msg":"closed"/);
  await serve.ended();
});

test("the test command is the one that CI runs", () => {
  const command = block("npm test").trim();
  expect(readFileSync(path.join(root, ".ci/run"), "utf8").split("\n")).toContain(command);
});

test("no block was left out", () => {
  expect([...pending]).toEqual([]);
});

test("the table of the environment is the one that the program reads", () => {
  const rows = Object.entries(variables).map(([name, { default: value, about }]) => {
    return `| \`${name}\` | ${value === null ? "–" : `\`${value}\``} | ${about} |`;
  });
  expect(readme).toContain(`| variable | default | meaning |\n|---|---|---|\n${rows.join("\n")}\n`);
});

test("configurations of media nodes are what the program reads", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "voicegate-readme-"));
  mkdirSync(path.join(folder, "media"));
  mkdirSync(path.join(folder, "recordings"));
  const read = [...readme.matchAll(/^```ini\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => {
    const lines = text.replaceAll("/var/lib/voicegate", folder).trim().split("\n");
    const { FREESWITCH_NODES, ASTERISK_NODES } = readConfig(
      Object.fromEntries(lines.map((line) => line.split(/=(.*)/, 2))),
    );
    return { FREESWITCH_NODES, ASTERISK_NODES };
  });
  rmSync(folder, { recursive: true });
  const secret = { password: "change-me" };
  expect(read).toEqual([
    { FREESWITCH_NODES: [{ node: "fs1", host: "127.0.0.1", port: 8021, ...secret }], ASTERISK_NODES: null },
    {
      FREESWITCH_NODES: null,
      ASTERISK_NODES: [{ node: "main", url: "http://10.0.0.5:8088", user: "voicegate", ...secret }],
    },
  ]);
});

test("the example has at most 60 lines", () => {
  const lines = readFileSync(path.join(root, "examples/ivr.ts"), "utf8").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(60);
});
