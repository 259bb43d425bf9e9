/** Reports: what they say, what they never say, and that programs and browsers can read them. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import { Webhook } from "standardwebhooks";
import { html } from "../../../src/conformance/report/html";
import { json } from "../../../src/conformance/report/json";
import { junit } from "../../../src/conformance/report/junit";
import { Mask } from "../../../src/conformance/report/mask";
import { plain } from "../../../src/conformance/report/plain";
import { netcatLine, repeatLine, signedLine } from "../../../src/conformance/report/repeat";
import { launch } from "../../portal/browser";
import { adminKey, appKey, exchange, odd, sample, secrets, signingSecret } from "./sample";

const masked = new Mask(secrets).report(sample());
const bash = promisify(execFile);

test("no form of a report shows a key or a secret", () => {
  const forms = [JSON.stringify(json(masked)), junit(masked), html(masked), plain(masked, true).join("\n")];
  for (const form of forms) for (const secret of [adminKey, appKey, signingSecret]) expect(form).not.toContain(secret);
  for (const form of forms) expect(form).toContain("$ADMIN_API_KEY");
});

test("as text: failures in full, skips by their reason, the count last", () => {
  const lines = plain(masked, false);
  expect(lines.filter((line) => line.startsWith("✗"))).toEqual(["✗ errors/two", "✗ errors/three", "✗ last/raw"]);
  expect(lines).toContain("- 2 skipped: There is no recording.");
  expect(lines.at(-1)).toBe("7 checks in 61.2 s: 2 passed, 3 failed, 2 skipped");
  // Nothing that came from the other side moves the cursor.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  expect(lines.join("\n")).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
});

test("as JSON: every outcome, its exchanges with a line to repeat them, skips by their reason", () => {
  const read = JSON.parse(JSON.stringify(json(masked)));
  expect(read).toMatchObject({ format: 1, passed: false, counts: { all: 7, passed: 2, failed: 3, skipped: 2 } });
  expect(read.outcomes.map(({ id }: { id: string }) => id)).toEqual(masked.outcomes.map(({ id }) => id));
  expect(read.outcomes[1].evidence.exchanges[1].repeat).toMatch(/^curl -i /);
  expect(read.skips).toEqual([{ reason: "There is no recording.", ids: ["order/one", "order/two"] }]);
});

describe("lines that repeat an exchange", () => {
  let server: Server;
  let url: string;
  const taken: { request: IncomingMessage; body: string }[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      taken.push({ request, body: Buffer.concat(await request.toArray()).toString("utf8") });
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = typeof address === "object" && address ? `http://127.0.0.1:${address.port}` : "";
  });

  afterAll(() => void server.close());

  /** What arrives when a shell runs the line. */
  async function repeated(line: string): Promise<{ request: IncomingMessage; body: string }> {
    const env = { ...process.env, ADMIN_API_KEY: adminKey, VOICEGATE_API_KEY: appKey, WEBHOOK_SECRET: signingSecret };
    await bash("bash", ["-c", line], { env });
    const last = taken.at(-1);
    if (!last) throw new Error("nothing arrived");
    return last;
  }

  test("curl sends the same bytes, with credentials from the shell", async () => {
    const body = `${JSON.stringify({ text: odd, key: appKey })}\n\t\u001b[31m`;
    const headers = {
      "X-Admin-API-Key": adminKey,
      "X-App-ID": "",
      "X-Odd": `a'b"c $HOME \\ \``,
      "X-Twice": ["1", "2"],
      "Content-Type": "application/json",
    };
    const shown = new Mask(secrets).report({
      ...sample(),
      outcomes: sample().outcomes.map((outcome) => {
        const once = exchange({ url: `${url}/a?b=c&d=%20`, method: "PUT", request: { headers, body } });
        return { ...outcome, evidence: { expected: "", got: "", exchanges: [once] } };
      }),
    });
    const [first] = shown.outcomes[0]?.evidence?.exchanges ?? [];
    const { request, body: came } = await repeated(repeatLine(first ?? exchange()));
    expect(came).toBe(body);
    expect(request).toMatchObject({ method: "PUT", url: "/a?b=c&d=%20" });
    expect(request.headers).toMatchObject({ "x-admin-api-key": adminKey, "x-app-id": "", "x-twice": "1, 2" });
    expect(request.headers["x-odd"]).toBe(headers["X-Odd"]);
  });

  test.each(["GET", "HEAD", "DELETE", "POST"])("%s without a body has none, and no type", async (method) => {
    const { request, body } = await repeated(repeatLine(exchange({ url, method, request: { headers: {}, body: "" } })));
    expect({ method: request.method, body, type: request.headers["content-type"] }).toEqual({ method, body: "" });
  });

  test("a body without a type keeps having none", async () => {
    const { request } = await repeated(repeatLine(exchange({ url, request: { headers: {}, body: "{}" } })));
    expect(request.headers["content-type"]).toBeUndefined();
  });

  test("a webhook is signed anew", async () => {
    const { request, body } = await repeated(signedLine(url, "a-1.2", `{"text":"it's \u00e9 $HOME"}`, -60));
    const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name])]));
    expect(new Webhook(signingSecret).verify(body, headers)).toEqual({ text: "it's é $HOME" });
    expect(Date.now() / 1000 - Number(headers["webhook-timestamp"])).toBeGreaterThanOrEqual(60);
  });

  test("bytes that are no HTTP go by netcat as they are", async () => {
    const key = "a-key-of-the-operator";
    const bytes = `GET /%zz HTTP/1.1\r\nX: \\'%s\u0000\u00ff${key}\r\n\r\n${" ".repeat(5000)}end${"\u00fe".repeat(3000)}`;
    const line = netcatLine("http://[::1]:8080/a", bytes);
    const masked = new Mask([{ name: "ADMIN_API_KEY", value: key }]).report({
      ...sample(),
      outcomes: sample().outcomes.map((outcome) => {
        return { ...outcome, evidence: { expected: "", got: "", exchanges: [exchange({ repeat: line })] } };
      }),
    });
    const shown = masked.outcomes[0]?.evidence?.exchanges?.[0]?.repeat ?? "";
    expect(shown).not.toContain(key);
    expect(shown.length).toBeLessThan(400);
    const [print, to] = shown.split(/ \| (?=nc )/);
    const env = { ...process.env, ADMIN_API_KEY: key };
    const { stdout } = await bash("bash", ["-c", print ?? ""], { encoding: "latin1", env });
    expect(stdout).toBe(bytes);
    expect(to).toBe("nc -w 5 ::1 8080");
  });
});

describe("in a browser", () => {
  let browser: Browser;
  let folder: string;
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

  beforeAll(async () => {
    browser = await launch();
    folder = await mkdtemp(path.join(tmpdir(), "voicegate-report-"));
    await writeFile(path.join(folder, "report.html"), html(masked));
  });

  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  const rows = (page: Page) => page.locator("tbody tr[data-check]:visible").count();

  test("the page asks nobody, has its failures first, and is filtered by text and verdict from the keyboard", async () => {
    const page = await browser.newPage();
    const strays: string[] = [];
    page.on("request", (request) => void (request.url().startsWith("file:") || strays.push(request.url())));
    page.on("console", (message) => strays.push(message.text()));
    page.on("pageerror", (error) => strays.push(error.message));
    await page.goto(pathToFileURL(path.join(folder, "report.html")).href);
    expect(await page.locator("h2").first().textContent()).toBe("Failures");
    expect(await page.locator(".check.failed:visible").count()).toBe(3);
    await page.keyboard.press("Tab");
    await page.keyboard.type("order");
    expect(await rows(page)).toBe(3);
    expect(await page.locator("#failures").isVisible()).toBe(false);
    await page.keyboard.press("Tab");
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowRight");
    expect(await page.locator("#shown").textContent()).toBe("2 shown");
    expect(await rows(page)).toBe(2);
    await page.fill("#find", "");
    await page.check("input[value='failed']");
    expect(await page.locator(".check.failed:visible").count()).toBe(3);
    expect(strays).toEqual([]);
    await page.close();
  });

  test.each(["light", "dark"] as const)("everybody can read it (%s)", async (colorScheme) => {
    const context = await browser.newContext({ bypassCSP: true, colorScheme });
    const page = await context.newPage();
    await page.goto(pathToFileURL(path.join(folder, "report.html")).href);
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    await page.evaluate(axe);
    const found = await page.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))");
    expect(found).toEqual([]);
    await context.close();
  });

  test("JUnit XML is read by a parser that forgives nothing", async () => {
    const page = await browser.newPage();
    const read = await page.evaluate((text) => {
      // Typed for Node, run in the page.
      const { DOMParser } = globalThis as unknown as {
        DOMParser: new () => { parseFromString(a: string, b: string): Xml };
      };
      interface Xml {
        querySelectorAll(selector: string): ArrayLike<{ getAttribute(name: string): string; textContent: string }>;
      }
      const found = new DOMParser().parseFromString(text, "application/xml");
      const all = (selector: string) => Array.from(found.querySelectorAll(selector));
      return {
        errors: all("parsererror").length,
        suites: all("testsuite").map((suite) =>
          ["name", "tests", "failures", "skipped"].map((a) => suite.getAttribute(a)),
        ),
        failure: all("failure")[0]?.textContent ?? "",
      };
    }, junit(masked));
    expect(read.errors).toBe(0);
    expect(read.suites).toEqual([
      ["gateway.errors", "3", "2", "0"],
      ["gateway.order", "3", "0", "2"],
      ["gateway.last", "1", "1", "0"],
    ]);
    expect(read.failure).toContain(`it's "odd": <b>&amp; \\ % $HOME \`ls\` é 日本 👩‍👩‍👧`);
    expect(read.failure).toContain("$ADMIN_API_KEY");
    await page.close();
  });
});
