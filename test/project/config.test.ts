/** The environment: every problem in one message, exit 1, before a port is opened. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { startDevelopment } from "../../src/cli/development";
import { ConfigError, packageVersion, readConfig, variables } from "../../src/config";
import { root } from "./program";

const voicegate = (args: readonly string[], env: Record<string, string> = {}) =>
  spawnSync("node", ["dist/src/cli/voicegate.js", ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
    timeout: 20_000,
  });

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("nothing set: the defaults of the table", () => {
  expect(readConfig({})).toMatchObject({ HOST: "127.0.0.1", PORT: 8080, ADMIN_API_KEY: null, EMBEDDED_ENGINE: true });
  expect(Object.keys(readConfig({}))).toEqual(Object.keys(variables));
  expect(readConfig({ PORT: "", ADMIN_API_KEY: "" })).toEqual(readConfig({}));
});

test("values are read as what they are", () => {
  const config = readConfig({
    SIP_USERS: "alice:secret,bob:other",
    TRUST_PROXY: "10.0.0.0/8, ::1",
    ALLOW_HTTP_WEBHOOKS: "true",
    LOG_LEVEL: "warn",
    CORS_ORIGINS: "https://app.example.com, http://localhost:3000",
    MEDIA_CACHE_DIR: ".",
    MEDIA_BASE_URL: "http://10.0.0.1:8080/",
    RECORDING_DIR: ".",
    RECORDING_BASE_URL: "https://voice.example.com/gateway/",
    RECORDING_UPLOAD_URL: "https://user:secret@files.example.com/",
    CONTRACT_CHECK: "all",
  });
  expect([...(config.SIP_USERS ?? [])]).toEqual([
    ["alice", "secret"],
    ["bob", "other"],
  ]);
  expect(config.TRUST_PROXY?.map(([base, bits]) => `${base}/${bits}`)).toEqual(["10.0.0.0/8", "::1/128"]);
  expect(config).toMatchObject({
    ALLOW_HTTP_WEBHOOKS: true,
    LOG_LEVEL: "warn",
    CORS_ORIGINS: ["https://app.example.com", "http://localhost:3000"],
    MEDIA_CACHE_DIR: process.cwd(),
    MEDIA_BASE_URL: "http://10.0.0.1:8080",
    RECORDING_DIR: process.cwd(),
    RECORDING_BASE_URL: "https://voice.example.com/gateway",
    RECORDING_UPLOAD_URL: "https://user:secret@files.example.com",
    RECORDING_MAX_SECONDS: 14_400,
    CONTRACT_CHECK: "all",
  });
});

test.each<[string, string]>([
  ["HOST", "example.com"],
  ["PORT", "65536"],
  ["PORT", "80a"],
  ["PORT", "-1"],
  ["ADMIN_API_KEY", "short"],
  ["ADMIN_API_KEY", "with a space in it 0123"],
  ["SECRETS_KEY", "too short for a key"],
  ["EMBEDDED_ENGINE", "yes"],
  ["REDIS_URL", "http://127.0.0.1:6379"],
  ["REDIS_URL", "redis://"],
  ["REDIS_URL", "redis://127.0.0.1:6379/first"],
  ["REDIS_URL", "redis://user@127.0.0.1:6379"],
  ["REDIS_URL", "redis://one:6379,two:6379"],
  ["REDIS_URL", "redis+sentinel://one:26379,two:26379"],
  ["REDIS_URL", "redis+cluster://one:6379,"],
  ["NODE_LOST_SECONDS", "0"],
  ["LEASE_SECONDS", "31"],
  ["SIP_USERS", "alice"],
  ["SIP_USERS", "alice:"],
  ["RTP_PORT_MIN", "80"],
  ["DEFAULT_APP_ID", "no such app!"],
  ["MAX_SESSIONS", "0"],
  ["TRUST_PROXY", "10.0.0.0/33"],
  ["TRUST_PROXY", "proxy.example.com"],
  ["COMMAND_TIMEOUT_MS", "1e3"],
  ["LOG_LEVEL", "loud"],
  ["ROOM_IDLE_SECONDS", "0"],
  ["EVENT_RETENTION_SECONDS", "2592001"],
  ["CORS_ORIGINS", "*"],
  ["CORS_ORIGINS", "https://app.example.com/"],
  ["CORS_ORIGINS", "null"],
  ["CORS_ORIGINS", "https://app.example.com,,"],
  ["MEDIA_CACHE_DIR", "/no/such/folder"],
  ["MEDIA_BASE_URL", "http://user:secret@10.0.0.1:8080"],
  ["RECORDING_UPLOAD_URL", "ftp://files.example.com"],
  ["RECORDING_UPLOAD_URL", "https://files.example.com/?token=1"],
  ["RECORDING_BASE_URL", "voice.example.com"],
  ["RECORDING_BASE_URL", "https://user:secret@voice.example.com"],
  ["RECORDING_DIR", "/no/such/folder"],
  ["RECORDING_DIR", __filename],
  ["RECORDING_MAX_SECONDS", "0"],
  ["RECORDING_RETENTION_DAYS", "-1"],
  ["CONTRACT_CHECK", "some"],
])("%s=%s is refused with what would be right", (name, value) => {
  expect(problems({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
});

test("all problems come at once, those between variables too, and values of keys never", () => {
  const env = {
    PORT: "x",
    ADMIN_API_KEY: "hunter2",
    SIP_HOST: "0.0.0.0",
    RTP_PORT_MIN: "20000",
    RTP_PORT_MAX: "20000",
    RECORDING_DIR: ".",
  };
  const { status, stdout, stderr } = voicegate(["serve"], env);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^The configuration has 5 problems:\n {2}PORT .*\n {2}ADMIN_API_KEY .*\n/);
  expect(stderr).toContain("SIP_PUBLIC_HOST is required when SIP_HOST is 0.0.0.0");
  expect(stderr).toContain("RECORDING_BASE_URL is required when RECORDING_DIR is set");
  expect(stderr).toContain("RTP_PORT_MAX must be greater than RTP_PORT_MIN");
  expect(stderr).not.toContain("hunter2");
});

test("an address of Redis in each of its forms, and the key that goes with it", () => {
  const SECRETS_KEY = "0123456789-0123456789-0123456789";
  for (const REDIS_URL of [
    "redis://127.0.0.1",
    "redis://:secret@[::1]:6379/2",
    "rediss://user:s%40cret@redis.example.com:6380/",
    "redis+sentinel://user:secret@one:26379,two:26379/main/3",
    "redis+sentinel://[::1]/main",
    "redis+cluster://:secret@one:6379,two:6379,three",
  ]) {
    expect(problems({ REDIS_URL, SECRETS_KEY })).toEqual([]);
    expect(readConfig({ REDIS_URL, SECRETS_KEY })).toMatchObject({ REDIS_URL, SECRETS_KEY });
    expect(problems({ REDIS_URL })).toEqual([expect.stringContaining("SECRETS_KEY is required when REDIS_URL is set")]);
  }
  expect(problems({ REDIS_URL: "redis://user:hunter2@" }).join()).not.toContain("hunter2");
});

test("a Redis that is not there ends the start with one line and exit 1, before a port is opened", async () => {
  const env = { REDIS_URL: "redis://:hunter2@127.0.0.1:1", SECRETS_KEY: "0123456789-0123456789-0123456789" };
  const { status, stdout, stderr } = voicegate(["serve"], { ...env, PORT: "0", SIP_PORT: "0", LOG_LEVEL: "silent" });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^Cannot start: the store cannot be reached: .*\n$/);
  expect(stderr).not.toContain("hunter2");
});

test("a value that is wrong in itself is no second problem", () => {
  expect(problems({ RECORDING_DIR: ".", RECORDING_BASE_URL: "nowhere" })).toHaveLength(1);
  expect(problems({ SIP_HOST: "0.0.0.0", SIP_PUBLIC_HOST: "nowhere" })).toHaveLength(1);
  expect(problems({ RECORDING_DIR: "/no/such/folder" })).toHaveLength(1);
});

test("a port in use ends the start with one line and exit 1", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { status, stderr } = voicegate(["serve"], { PORT: String(port), SIP_PORT: "0", LOG_LEVEL: "silent" });
  other.close();
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Cannot start: .*EADDRINUSE.*:${port}\n$`));
});

test("development mode is for this machine, unless somebody has chosen a key", () => {
  const { status, stdout, stderr } = voicegate(["dev"], { HOST: "0.0.0.0", PORT: "0", ADMIN_API_KEY: "" });
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/^The configuration has a problem:\n {2}HOST 0\.0\.0\.0 .*set ADMIN_API_KEY.*\n$/);
});

test("development mode: what is wrong is said once, and leaves no folder behind", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "voicegate-test-"));
  const { status, stderr } = voicegate(["dev"], { PORT: "80a", TMPDIR: folder });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The configuration has a problem:\n {2}PORT must be .*\n$/);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

test("development mode: empty values are unset, and others get no key that everybody knows", async () => {
  const free = { PORT: "0", SIP_PORT: "0", LOG_LEVEL: "silent" };
  const known = "demo-api-key-0123456789";
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const local = await startDevelopment({ ...free, ADMIN_API_KEY: "", SHUTDOWN_TIMEOUT_MS: "" }, print, false);
  await local.shutdown();
  expect(lines.join()).toContain(known);
  lines.length = 0;
  const own = { HOST: "0.0.0.0", ADMIN_API_KEY: "a-key-of-my-own-0123456789" };
  const open = await startDevelopment({ ...free, ...own }, print, false);
  await open.shutdown();
  expect(lines.join()).toContain("Voicegate is ready");
  expect(lines.join()).not.toContain(known);
});

test("help, version and wrong words", () => {
  expect(voicegate(["--help"])).toMatchObject({ status: 0, stdout: expect.stringContaining("voicegate dev") });
  expect(voicegate(["--version"])).toMatchObject({ status: 0, stdout: `${packageVersion()}\n` });
  const help = voicegate(["serve", "--help"]);
  expect(help.status).toBe(0);
  for (const name of Object.keys(variables)) expect(help.stdout).toContain(`  ${name} `);
  expect(voicegate(["sevre"])).toMatchObject({ status: 2, stderr: expect.stringContaining("Usage: voicegate") });
  expect(voicegate([])).toMatchObject({ status: 2 });
});
