/** Chromium as Debian packages it, and what a page of it does that it should not. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const quiet = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function onPath(command: string): string {
  const found = (process.env.PATH ?? "").split(path.delimiter).find((folder) => {
    try {
      accessSync(path.join(folder, command), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
  if (found === undefined) throw new Error(`${command} is not installed: scripts/system-packages.sh does it`);
  return path.join(found, command);
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: onPath("chromium"), args: quiet });
}

/** A page whose requests and complaints are written down. */
export interface Watched {
  readonly page: Page;
  /** Requests to anybody but the gateway. */
  readonly strays: readonly string[];
  /** Errors of scripts, refused by the security policy or thrown. */
  readonly complaints: readonly string[];
  /** Bytes of bodies as they came over the wire, so far. */
  bytes(): Promise<number>;
}

export async function watch(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ baseURL: origin, ...options });
  const page = await context.newPage();
  const strays: string[] = [];
  const complaints: string[] = [];
  const sizes: Promise<number>[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) strays.push(request.url());
  });
  page.on("response", (response) => sizes.push(response.headerValue("content-length").then(Number)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  const bytes = async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  return { page, strays, complaints, bytes };
}
