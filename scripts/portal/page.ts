import type { Html } from "./html";

/** One page before its frame is put round it. */
export interface Page {
  /** Below `/docs`: `""`, `/errors`, `/operations/answer`. */
  readonly path: string;
  readonly kind: "home" | "guide" | "tag" | "operation" | "error" | "event" | "list" | "try";
  /** Of the window, and what the search shows. */
  readonly title: string;
  /** One sentence, plain text. */
  readonly about: string;
  readonly body: Html;
  /** What is found by, besides title and text. */
  readonly names?: readonly string[];
  /** Loads the console beside what every page loads. */
  readonly console?: boolean;
}
