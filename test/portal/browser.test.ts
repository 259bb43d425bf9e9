/** The documentation in a real browser: by keyboard alone, in light and dark, and with a call that is really placed. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import type { TestGateway } from "../gateway";
import { launch, type Watched, watch } from "./browser";
import { startDemo } from "./place";

let place: TestGateway;
let browser: Browser;

beforeAll(async () => {
  [place, browser] = await Promise.all([startDemo(), launch()]);
});
afterAll(async () => {
  await browser.close();
  await place.close();
});

/** Nothing went elsewhere, and nobody complained. */
async function inOrder({ page, strays, complaints }: Watched): Promise<void> {
  expect({ strays, complaints }).toEqual({ strays: [], complaints: [] });
  await page.context().close();
}

const eventNames = (page: Page, which = "") =>
  page
    .locator(`.events > li${which}`)
    .evaluateAll((items) => items.map((item) => item.getAttribute("data-event")).reverse());

async function told(page: Page, name: string): Promise<void> {
  await page.locator(`.events > li[data-event="${name}"]`).first().waitFor();
}

test("the first view is small", async () => {
  const watched = await watch(browser, place.url);
  await watched.page.goto("/docs", { waitUntil: "networkidle" });
  const bytes = await watched.bytes();
  expect(bytes).toBeGreaterThan(1000);
  expect(bytes).toBeLessThan(40 * 1024);
  await inOrder(watched);
});

test("a simulated call is placed and led from a page, and its events appear beside it", async () => {
  const watched = await watch(browser, place.url);
  const { page } = watched;
  await page.goto("/docs/try");
  const send = (operation: string) => page.locator(`form[data-operation="${operation}"] button[type=submit]`).click();
  await send("createSandboxCall");
  await told(page, "call.new");
  expect(await eventNames(page, ".caused")).toContain("call.new");
  await send("answer");
  await told(page, "call.answered");
  await page.locator('.events > li.caused[data-event="command.result"]').waitFor();
  expect((await eventNames(page, ".caused")).sort()).toEqual(["call.answered", "command.result"]);
  await send("startPlayback");
  await page.locator('.events > li.caused[data-event="playback.started"]').waitFor();
  await send("hangup");
  await page.locator('.events > li.caused[data-event="call.hangup"]').waitFor();
  // What has ended is told in the words of the contract, with the way to its page.
  await send("getSession");
  const answer = page.locator('form[data-operation="getSession"] .answer');
  await answer.getByText("session_not_found").waitFor();
  expect(await answer.getByRole("link").getAttribute("href")).toBe("/docs/errors/session_not_found");
  // A 404 is what was asked for: the browser notes it all the same.
  expect(watched.complaints.filter((text) => !text.includes("404"))).toEqual([]);
  expect(watched.strays).toEqual([]);
  await page.context().close();
});

test("by keyboard alone: search, page, call", async () => {
  const watched = await watch(browser, place.url);
  const { page } = watched;
  const { keyboard } = page;
  await page.goto("/docs");
  await keyboard.press("/");
  await keyboard.type("simulated call");
  const found = page.getByRole("option", { name: /^Place a simulated call/ });
  await found.waitFor();
  await keyboard.press("Escape");
  expect(await found.isVisible()).toBe(false);
  await keyboard.type("simulated call");
  await found.waitFor();
  for (let n = 0; (await found.getAttribute("aria-selected")) !== "true"; n += 1) {
    expect(n).toBeLessThan(12);
    await keyboard.press("ArrowDown");
  }
  await keyboard.press("Enter");
  await page.waitForURL("**/docs/operations/createSandboxCall");
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  const send = page.locator("form.request button[type=submit]:focus");
  for (let n = 0; (await send.count()) === 0; n += 1) {
    expect(n).toBeLessThan(40);
    await keyboard.press("Tab");
  }
  await keyboard.press("Enter");
  await page.locator(".answer .status", { hasText: "201" }).waitFor();
  await told(page, "call.new");
  await inOrder(watched);
});

test("credentials that were changed stay in the tab, and a wrong key is told as what it is", async () => {
  const watched = await watch(browser, place.url);
  const { page } = watched;
  await page.goto("/docs/operations/listSessions");
  await page.getByText("Credentials", { exact: true }).last().click();
  await page.getByLabel("X-API-Key").fill("wrong");
  await page.getByLabel("X-API-Key").blur();
  await page.reload();
  await page.locator("form.request button[type=submit]").click();
  await page.locator(".answer").getByText("invalid_api_key").waitFor();
  expect(await page.evaluate("localStorage.length")).toBe(0);
  await page.context().close();
});

test("a theme that was chosen stays, and holds before the page is painted", async () => {
  const watched = await watch(browser, place.url, { colorScheme: "light" });
  const { page } = watched;
  await page.goto("/docs");
  const theme = page.getByRole("button", { name: "Theme" });
  await theme.click();
  await theme.click();
  await page.goto("/docs/errors");
  expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(18, 23, 22)");
  await inOrder(watched);
});

test("on a phone nothing is wider than the screen, and the menu opens", async () => {
  const watched = await watch(browser, place.url, { viewport: { width: 390, height: 800 } });
  const { page } = watched;
  for (const path of ["/docs", "/docs/operations/putApp", "/docs/commands", "/docs/guides/webhooks", "/docs/try"]) {
    await page.goto(path);
    const wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    expect({ path, wide }).toEqual({ path, wide: 0 });
  }
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("navigation", { name: "All pages" }).getByRole("link", { name: "Webhooks" }).waitFor();
  await inOrder(watched);
});

/** One page of each kind. */
const kinds = [
  "/docs",
  "/docs/guides/idempotency",
  "/docs/tags/digits",
  "/docs/operations/seekPlayback",
  "/docs/errors/command_rate_limited",
  "/docs/events/command.result",
  "/docs/checks",
  "/docs/try",
];

describe("can be read by everybody", () => {
  let watched: Watched;
  beforeAll(async () => {
    // The policy of the pages lets no test in, either.
    watched = await watch(browser, place.url, { bypassCSP: true });
    await watched.page.addInitScript(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  });
  afterAll(() => inOrder(watched));

  /** @param options of axe, as JavaScript: nothing here knows the types of a browser */
  async function faults(page: Page, options: string) {
    const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${options})`);
    const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    return grave.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) }));
  }

  test.each(kinds)("%s", async (path) => {
    const { page } = watched;
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(path);
    expect(await faults(page, "{ resultTypes: ['violations'] }")).toEqual([]);
    // What is different in the dark is the colours.
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await faults(page, "{ runOnly: ['color-contrast'], resultTypes: ['violations'] }")).toEqual([]);
  });
});
