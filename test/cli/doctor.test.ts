/** What the doctor finds: at a real Redis, at servers with certificates of several kinds, and in the environment. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttps, type Server } from "node:https";
import { type AddressInfo, createServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { TestGateway } from "../gateway";
import { RedisServer } from "../redis/server";
import { documents, voicegate } from "./voicegate";

const run = promisify(execFile);
let folder: string;
const opened: (Server | TcpServer)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
});
afterAll(async () => {
  for (const server of opened) {
    server.close();
    await once(server, "close");
  }
  await rm(folder, { recursive: true });
});

interface Finding {
  readonly about: string;
  readonly verdict: string;
  readonly message: string;
  readonly fix?: string;
}

/** What it says, line by line, and its exit code. */
async function examine(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const free = { PORT: "0", SIP_PORT: "0", ADMIN_API_KEY: "0123456789-0123456789" };
  const ran = await voicegate(["doctor", "--json", ...args], { ...free, ...env });
  const found = documents(ran)[0]?.findings;
  const all: Finding[] = Array.isArray(found) ? found : [];
  const lines = all.map(({ about, verdict, message }) => `${verdict} ${about}: ${message}`);
  // Whoever is told that something is wrong is told what to do.
  expect(all.filter(({ verdict, fix }) => verdict !== "good" && !fix)).toEqual([]);
  return { status: ran.status, lines: lines.join("\n"), stderr: ran.stderr };
}

const SECRETS_KEY = "0123456789-0123456789-0123456789";

test("a Redis that may throw calls away, or asks for another password, is found", async () => {
  const careless = ["maxmemory-policy allkeys-lru", "requirepass sesame"];
  const server = await RedisServer.start({ lines: careless });
  try {
    const at = (login: string) => ({ REDIS_URL: `redis://${login}127.0.0.1:${server.port}`, SECRETS_KEY });
    const [open, refused] = await Promise.all([examine([], at(":sesame@")), examine([], at(":hunter2@"))]);
    expect(open.status).toBe(1);
    expect(open.lines).toMatch(/^wrong Redis: Its maxmemory-policy is allkeys-lru/m);
    expect(open.lines).toMatch(/^warning Redis: It keeps no append only file/m);
    expect(open.lines).toMatch(/^good Redis: The clock of Redis agrees/m);
    expect(refused.status).toBe(1);
    expect(refused.lines).toMatch(/^wrong Redis: Redis cannot be used at 127\.0\.0\.1:\d+: WRONGPASS/m);
    expect(refused.lines + refused.stderr).not.toContain("hunter2");
  } finally {
    await server.stop();
  }
});

test("an environment that is well is, and one that is not is told by all of its problems", async () => {
  const server = await RedisServer.start({ appendfsync: "everysec", lines: ["maxmemory-policy noeviction"] });
  const taken = createServer().listen(0, "127.0.0.1");
  opened.push(taken);
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  try {
    const RECORDING_BASE_URL = "http://127.0.0.1";
    const [well, bad, ports] = await Promise.all([
      examine([], { REDIS_URL: server.url, SECRETS_KEY, RECORDING_DIR: folder, RECORDING_BASE_URL }),
      examine([], { PORT: "80a", SIP_HOST: "0.0.0.0" }),
      examine([], { PORT: String(port), FREESWITCH_NODES: `fs=127.0.0.1:${port}:pw`, MAX_SESSIONS: "9000" }),
    ]);
    expect(well).toMatchObject({ status: 0, lines: expect.not.stringContaining("wrong") });
    expect(well.lines).toMatch(/^good Redis: It keeps an append only file \(appendfsync everysec/m);
    expect(well.lines).toMatch(/^(?:good|warning) disk: RECORDING_DIR/m);
    expect(bad.status).toBe(1);
    expect(bad.lines).toMatch(/^wrong environment: PORT must be/m);
    expect(bad.lines).toMatch(/^wrong environment: SIP_PUBLIC_HOST is required/m);
    expect(ports.lines).toMatch(new RegExp(`^wrong ports: TCP port ${port} of 127.0.0.1 is taken`, "m"));
    expect(ports.lines).toMatch(/^warning ports: RTP has 8192 ports for MAX_SESSIONS 9000/m);
    expect(ports.lines).toMatch(/^wrong FreeSWITCH fs: It does not speak as an event socket: no answer/m);
  } finally {
    await server.stop();
  }
});

/** A certificate by openssl, signed by itself. @returns paths of key and certificate */
async function certificate(name: string, days: number): Promise<readonly [key: string, cert: string]> {
  const [key, cert] = [path.join(folder, `${name}.${days}.key`), path.join(folder, `${name}.${days}.pem`)];
  const made = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  if (days > 0) {
    await run("openssl", [...made, ...subject, "-x509", "-days", String(days), "-out", cert]);
    return [key, cert];
  }
  // Only an authority can date one back.
  const [request, config, list] = ["csr", "cnf", "list"].map((end) => path.join(folder, `ca.${end}`));
  const rules = `[ca]\ndefault_ca=own\n[own]\ndatabase=${list}\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n`;
  await Promise.all([writeFile(config ?? "", rules), writeFile(list ?? "", "")]);
  await run("openssl", [...made, ...subject, "-out", request ?? ""]);
  const dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"];
  const signed = ["ca", "-batch", "-config", config ?? "", "-selfsign", "-keyfile", key, "-in", request ?? ""];
  await run("openssl", [...signed, ...dates, "-notext", "-out", cert]);
  return [key, cert];
}

/** An https server with such a certificate, which answers with this status. */
async function secured(name: string, days: number, status: number, location = ""): Promise<string> {
  const [key, cert] = await Promise.all((await certificate(name, days)).map((file) => readFile(file)));
  const server = createHttps({ key, cert }, (request, response) => {
    request.resume();
    response.writeHead(status, location === "" ? {} : { location }).end();
  });
  opened.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `https://localhost:${(server.address() as AddressInfo).port}/hooks`;
}

test("a webhook endpoint: certificates, names, redirects, and who takes what nobody has signed", async () => {
  const [self, expired, soon, strange] = await Promise.all([
    secured("localhost", 90, 401),
    secured("localhost", 0, 401),
    secured("localhost", 3, 301, "https://elsewhere.test/"),
    secured("other.test", 90, 204),
  ]);
  const local = { ALLOW_LOCALHOST_WEBHOOKS: "true", ALLOW_HTTP_WEBHOOKS: "true" };
  const trusted = (name: string) => ({ ...local, NODE_EXTRA_CA_CERTS: path.join(folder, `${name}.pem`) });
  const [a, b, c, d, e] = await Promise.all([
    examine(["--webhook", self], local),
    examine(["--webhook", expired], local),
    examine(["--webhook", soon], trusted("localhost.3")),
    examine(["--webhook", strange], trusted("other.test.90")),
    examine(["--webhook", self]),
  ]);
  expect(a.lines).toMatch(/^wrong webhook: The certificate of localhost is signed by itself/m);
  expect(b.lines).toMatch(/^wrong webhook: The certificate of localhost expired on 2020-02-01/m);
  expect(d.lines).toMatch(/^wrong webhook: The certificate of localhost is for another name/m);
  expect(e.lines).toMatch(/^wrong webhook: localhost is 127\.0\.0\.1.*: the gateway connects to no such address/m);
  expect([a, b, d, e].map(({ status }) => status)).toEqual([1, 1, 1, 1]);
  expect(c.lines).toMatch(/^warning webhook: The certificate of localhost expires on .* in [23] days/m);
  expect(c.lines).toMatch(/^wrong webhook: It redirects \(301\) to https:\/\/elsewhere\.test\//m);
});

test("the event socket of a FreeSWITCH: a greeting, and its answer to the password", async () => {
  const server = createServer((socket) => {
    socket.write("Content-Type: auth/request\n\n");
    socket.on("data", (bytes) => {
      const reply = bytes.toString() === "auth sesame\n\n" ? "+OK accepted" : "-ERR invalid";
      socket.write(`Content-Type: command/reply\nReply-Text: ${reply}\n\n`);
    });
  }).listen(0, "127.0.0.1");
  opened.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [right, wrong] = await Promise.all(
    ["sesame", "hunter2"].map((password) => examine([], { FREESWITCH_NODES: `fs=127.0.0.1:${port}:${password}` })),
  );
  expect(right).toMatchObject({
    status: 0,
    lines: expect.stringMatching(/^good FreeSWITCH fs: .* takes the password/m),
  });
  expect(wrong).toMatchObject({
    status: 1,
    lines: expect.stringMatching(/^wrong FreeSWITCH fs: .* refuses the password/m),
  });
  expect(wrong?.lines).not.toContain("hunter2");
});

test("a gateway that runs is looked at by its URL; its receiver is found to refuse what is not signed", async () => {
  const gateway = await TestGateway.start();
  try {
    const args = ["--url", gateway.url, "--admin-key", "wrong-key-wrong-key", "--webhook", gateway.receiver.url];
    const { status, lines } = await examine(args, { ALLOW_LOCALHOST_WEBHOOKS: "true", ALLOW_HTTP_WEBHOOKS: "true" });
    expect(status).toBe(1);
    expect(lines).toMatch(/^good gateway: It is well/m);
    expect(lines).toMatch(/^good gateway: Media node \w+ \(embedded\) is connected/m);
    expect(lines).toMatch(/^wrong gateway: The admin API refuses: Invalid admin API key/m);
    expect(lines).toMatch(/^good webhook: It refuses what is not signed \(401\)/m);
  } finally {
    await gateway.close();
  }
});
