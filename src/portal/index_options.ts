import type { Options } from "minisearch";

/** What a page is found by. */
export interface Indexed {
  /** Path below `/docs`. */
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly about: string;
  readonly names: string;
  readonly text: string;
}

/** How pages are found: the same for the build, which makes the index, and for the browser, which asks it. */
export const indexOptions: Options<Indexed> = {
  fields: ["title", "names", "about", "text"],
  storeFields: ["title", "about", "kind"],
  searchOptions: { prefix: true, fuzzy: 0.15, boost: { title: 6, names: 8, about: 3 }, combineWith: "AND" },
  /** `session_not_found` and `playback/start` are found by each of their words, and as a whole. */
  tokenize(text) {
    const words = text.split(/[\s,;:()[\]{}"'`<>=|]+/u).filter((word) => word !== "");
    return words.flatMap((word) => {
      const parts = word.split(/[._/\-–…?!]+/u).filter((part) => part !== "");
      return parts.length > 1 ? [word.replace(/[.!?]$/, ""), ...parts] : parts;
    });
  },
};
