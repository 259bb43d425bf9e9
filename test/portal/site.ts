/** The documentation as it is served: every page, and what stands in it. */
import type { ClientResponse } from "../api/client";
import type { TestGateway } from "../gateway";

/** All that `/docs` leads to. */
export class Site {
  /** By path, without what comes after `#`. */
  readonly pages = new Map<string, string>();
  /** Links to paths of the documentation, and the pages that have them. */
  readonly links = new Map<string, string>();
  /** Other links. */
  readonly beyond = new Set<string>();

  /** Follows every link from the first page on. @throws when a page is not there */
  static async walk(place: TestGateway): Promise<Site> {
    const site = new Site();
    const waiting = ["/docs"];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (site.pages.has(path)) continue;
      const { status, headers, text } = await get(place, path);
      if (status !== 200) throw new Error(`${path}, from ${site.links.get(path)}: ${status}`);
      const page = headers["content-type"]?.startsWith("text/html");
      site.pages.set(path, page ? text : "");
      if (!page) continue;
      for (const link of linksOf(text)) {
        const target = new URL(link, `http://gateway${path}`);
        if (target.host !== "gateway" || !target.pathname.startsWith("/docs")) {
          site.beyond.add(link);
          continue;
        }
        site.links.set(`${target.pathname}${target.hash}`, path);
        waiting.push(target.pathname);
      }
    }
    return site;
  }

  has(path: string): boolean {
    return this.pages.has(path);
  }

  /** Links whose page has nothing of that id. */
  get dangling(): string[] {
    return [...this.links].flatMap(([link, from]) => {
      const [path = "", id] = link.split("#");
      const page = this.pages.get(path) ?? "";
      return id === undefined || page.includes(` id="${decodeURIComponent(id)}"`) ? [] : [`${from} → ${link}`];
    });
  }
}

export function get(
  place: TestGateway,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ClientResponse> {
  return place.client.request({ method: "GET", path, headers });
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/ (?:href|src|data-search)="([^"]*)"/g)].map(([, link = ""]) =>
    link.replaceAll("&amp;", "&"),
  );
}
