/** The index of all pages: with it comes everything that searching takes. */
import MiniSearch from "minisearch";
import { type Indexed, indexOptions } from "../index_options";

export interface Found {
  readonly href: string;
  readonly title: string;
  readonly about: string;
  readonly kind: string;
}

const most = 12;

export class Index {
  readonly #pages: MiniSearch<Indexed>;

  /** @param json as the build has written it */
  constructor(json: string) {
    this.#pages = MiniSearch.loadJSON<Indexed>(json, indexOptions);
  }

  /** The best first. */
  find(text: string): Found[] {
    return this.#pages
      .search(text)
      .slice(0, most)
      .map(({ id, title, about, kind }) => ({
        href: `/docs${id}`,
        title: String(title),
        about: String(about),
        kind: String(kind),
      }));
  }
}
