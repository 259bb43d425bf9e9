/** `voicegate conformance`, as it is called: what it exits with, what it writes, and what it says when it cannot begin. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { faultlessReceiver, faultyReceivers } from "../../../scripts/faults/receivers/index";
import { findCommand, readArguments } from "../../../src/cli/arguments";
import { type Output, WrongUse } from "../../../src/cli/command";
import { commands } from "../../../src/cli/table";
import { Unreachable } from "../../../src/conformance/check";
import { World } from "../../../src/conformance/gateway/world";
import { adminKey, TestGateway } from "../../gateway";
import { Program } from "../../project/program";
import { secret } from "../receiver/trial";

let place: TestGateway;
let folder: string;

beforeAll(async () => {
  place = await TestGateway.start({ app: null });
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-kit-"));
});

afterAll(async () => {
  await place.close();
  await rm(folder, { recursive: true });
});

interface Ended {
  readonly code: number;
  /** What was asked for. */
  readonly printed: string;
  /** Progress, and what went wrong. */
  readonly said: string;
}

/** The program itself, for the side that is loaded when it is asked for. */
async function program(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const started = new Program(process.execPath, ["dist/src/cli/voicegate.js", "conformance", ...words], env);
  const code = await started.ended();
  return { code: code ?? -1, printed: started.output, said: started.output };
}

/** The command as the program runs it, in this process. */
async function kit(words: readonly string[]): Promise<Ended> {
  const [printed, said]: [string[], string[]] = [[], []];
  const ended = (code: number): Ended => ({ code, printed: printed.join("\n"), said: said.join("\n") });
  const found = findCommand(commands, ["conformance", ...words]);
  if (!found) throw new Error("there is no such command");
  try {
    const { json, ...given } = readArguments(found.command, found.rest, {});
    const say = (line: string) => void said.push(line);
    const output: Output = {
      print: (line) => void printed.push(line),
      error: say,
      progress: say,
      json,
      colours: false,
    };
    return ended(await found.command.run({ ...given, output, signal: new AbortController().signal }));
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    said.push(error.message);
    return ended(2);
  }
}

test("alone it shows both sides with an example", async () => {
  const { code, printed } = await kit([]);
  expect(code).toBe(0);
  expect(printed).toMatch(
    /voicegate conformance gateway --url .*\n.*receiver[\s\S]*voicegate conformance receiver --url/,
  );
});

test("a gateway's first call passes, and the reports of it show no key", async () => {
  const file = (end: string) => path.join(folder, `report.${end}`);
  const forms = ["json", "junit", "html"];
  const written = forms.flatMap((form) => [`--report-${form}`, file(form)]);
  const only = ["--profile", "minimal", "--only", "first"];
  const { code, printed, said } = await program(["gateway", "--url", place.url, ...only, ...written], {
    ADMIN_API_KEY: adminKey,
  });
  expect(printed).toMatch(/^\d checks in [\d.]+ s: \d passed, 0 failed, 0 skipped$/m);
  expect(code).toBe(0);
  const [json = "", junit = "", html = ""] = await Promise.all(forms.map((form) => readFile(file(form), "utf8")));
  expect(JSON.parse(json)).toMatchObject({ side: "gateway", target: place.url, passed: true });
  expect(junit).toContain('<testsuite name="gateway.first"');
  expect(html).toContain("<h1>Conformance of the gateway");
  for (const text of [json, junit, html, printed, said]) expect(text).not.toContain(adminKey);
  // What it made is gone.
  const { text } = await place.client.request({ method: "GET", path: "/admin/apps", headers: place.admin });
  expect(text).not.toContain("kit-");
});

test("what fails is told in full, with a line to repeat it, and exits with 1", async () => {
  const faulty = faultyReceivers.find(({ name }) => name === "patient");
  if (!faulty) throw new Error("there is no such fault");
  const { url, close } = await faulty.start(secret);
  try {
    const words = ["receiver", "--url", url, "--secret", secret, "--only", "signatures/stale,signatures/clock"];
    const { code, printed, said } = await kit(words);
    expect(code).toBe(1);
    expect(said).toMatch(/^✗ signatures\/stale: expected a 4xx/);
    expect(printed).toMatch(/✗ signatures\/stale\n[\s\S]* {4}expected {2}a 4xx for [\s\S]* {4}\$ curl -i /);
    expect(printed).toMatch(/^2 checks in [\d.]+ s: 1 passed, 1 failed, 0 skipped$/m);
    const asked = await kit([...words, "--json"]);
    expect(JSON.parse(asked.printed)).toMatchObject({ passed: false, counts: { all: 2, failed: 1 } });
  } finally {
    await close();
  }
});

describe("it exits with 2 and says why when", () => {
  const nobody = "http://127.0.0.1:9";
  const rows: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no endpoint listens", ["receiver", "--url", nobody, "--secret", secret], /Nothing listens at http:\/\/127/],
    ["the endpoint's secret is missing", ["receiver", "--url", nobody], /--secret is needed/],
    ["no check has this name", ["receiver", "--only", "nothing"], /no check is called nothing/],
    ["there is no such side", ["reciever"], /there is no (?:side|command)/],
  ];
  test.each(rows)("%s", async (_, words, reason) => {
    const { code, said } = await kit(words);
    expect(said).toMatch(reason);
    expect(code).toBe(2);
  });

  test("the probe is none", async () => {
    const { url, close } = await faultlessReceiver.start(secret);
    try {
      const probe = await kit(["receiver", "--url", url, "--secret", secret, "--probe", url]);
      expect(probe).toMatchObject({ code: 2, said: expect.stringContaining("The probe does not work: 405") });
    } finally {
      await close();
    }
  });

  test("no gateway listens, or what listens is none, or its admin key is another", async () => {
    const { url, close } = await faultlessReceiver.start(secret);
    const open = (url: string, adminKey: string | null) =>
      World.open({
        url,
        adminKey,
        app: null,
        caller: "sandbox",
        listen: { host: "127.0.0.1", port: 0 },
        publicUrl: null,
        authFailuresPerSecond: 10,
        ask: () => undefined,
      });
    try {
      await expect(open(nobody, adminKey)).rejects.toThrow(/^Nothing answers at http:.*ECONNREFUSED/);
      const { origin } = new URL(url);
      await expect(open(origin, adminKey)).rejects.toThrow(new Unreachable(`${origin} is no Voicegate.`));
      await expect(open(origin, null)).rejects.toThrow(new Unreachable(`${origin} is no Voicegate.`));
      const refused = new Unreachable(`${place.url} does not take this admin key.`);
      await expect(open(place.url, "another-admin-key-0123")).rejects.toThrow(refused);
    } finally {
      await close();
    }
  });
});
