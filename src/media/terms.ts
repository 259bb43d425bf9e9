/** On which terms an answer that was kept may be used again: RFC 9111, with each file fetched by GET. */
import type { IncomingHttpHeaders } from "node:http";

/** An answer that is there, and how it came. */
export interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** The request carried credentials. */
  readonly authorized: boolean;
  /** Monotonic milliseconds at which the request was sent, and at which the head of the answer was there. */
  readonly asked: number;
  readonly answered: number;
}

/** Everything that counts of an answer's head. Of the rest nothing is kept. */
interface Fields {
  readonly cacheControl: string;
  readonly expires: string | null;
  readonly date: string | null;
  readonly age: string | null;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly vary: string;
}

/** In characters. An answer that says more of itself is not kept: what a server can make us remember is bounded. */
const maxFields = 2048;
const directive = /([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/gi;
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/**
 * The gateway is a shared cache: what one app had fetched is played for another that names the same URL, so an answer that
 * is `private` is meant for less than that, and `s-maxage` is meant for us. An answer is never judged by what is usual
 * (section 4.2.2): who swaps an announcement and says nothing of its lifetime expects it to be heard at once.
 */
export class Terms {
  /** It may be kept, and there is a point in it: it is fresh for a while, or the server can be asked whether it still holds. */
  readonly kept: boolean;
  /**
   * For whom else the answer does, when they asked while it was on its way: `all`, for it is fresh; those who were `waiting`
   * when it came, as it is newer than their question; `none`, each must ask for himself (section 4).
   */
  readonly serves: "all" | "waiting" | "none";
  readonly #fields: Fields;
  /** Monotonic milliseconds. */
  readonly #freshUntil: number;

  private constructor(fields: Fields, { authorized, asked, answered }: Omit<Answer, "headers">) {
    this.#fields = fields;
    const control = directives(fields.cacheControl);
    const lifetime = lifetimeMs(fields, control);
    this.#freshUntil = answered + (lifetime ?? 0) - ageMs(fields, asked, answered);
    // Our requests are all alike in what `Vary` can name, but for `*` (section 4.1).
    const storable =
      !control.has("no-store") &&
      !control.has("private") &&
      !fields.vary.includes("*") &&
      (!authorized || ["public", "must-revalidate", "s-maxage"].some((name) => control.has(name)));
    const fresh = this.isFresh(answered);
    this.kept =
      storable && (fresh || fields.etag !== null || fields.lastModified !== null) && length(fields) <= maxFields;
    this.serves = !storable ? "none" : fresh ? "all" : lifetime === null ? "waiting" : "none";
  }

  static of(answer: Answer): Terms {
    const { headers } = answer;
    const etag = headers.etag ?? null;
    const lastModified = headers["last-modified"] ?? null;
    const fields = {
      cacheControl: headers["cache-control"] ?? "",
      expires: headers.expires ?? null,
      date: headers.date ?? null,
      age: headers.age ?? null,
      // They go back to the server as they came, so they must be what they should be.
      etag: etag !== null && entityTag.test(etag) ? etag : null,
      lastModified: lastModified !== null && Number.isFinite(Date.parse(lastModified)) ? lastModified : null,
      vary: headers.vary ?? "",
    };
    return new Terms(fields, answer);
  }

  /** @param at monotonic milliseconds */
  isFresh(at: number): boolean {
    return at < this.#freshUntil;
  }

  /** Fields of a request that asks whether the answer still holds (section 4.3.1). None: that cannot be asked. */
  get conditions(): Readonly<Record<string, string>> {
    const { etag, lastModified } = this.#fields;
    return {
      ...(etag !== null && { "If-None-Match": etag }),
      ...(lastModified !== null && { "If-Modified-Since": lastModified }),
    };
  }

  /** The terms after a 304, which says what has changed of them (section 4.3.4). Null: it speaks of another version. */
  renewed(answer: Answer): Terms | null {
    const now = Terms.of(answer).#fields;
    const before = this.#fields;
    if (now.etag !== null && before.etag !== null && weak(now.etag) !== weak(before.etag)) return null;
    const fields = {
      cacheControl: answer.headers["cache-control"] === undefined ? before.cacheControl : now.cacheControl,
      expires: now.expires ?? before.expires,
      date: now.date,
      age: now.age,
      etag: now.etag ?? before.etag,
      lastModified: now.lastModified ?? before.lastModified,
      vary: answer.headers.vary === undefined ? before.vary : now.vary,
    };
    return new Terms(fields, answer);
  }
}

const weak = (etag: string): string => etag.replace(/^W\//, "");
const length = (fields: Fields): number =>
  Object.values(fields).reduce((sum: number, text: string | null) => sum + (text?.length ?? 0), 0);

/** By name in small letters; of those that come twice the first (section 4.2.1). */
function directives(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", quoted, token] of text.matchAll(directive)) {
    const key = name.toLowerCase();
    if (!found.has(key)) found.set(key, quoted ?? token ?? "");
  }
  return found;
}

/** Null when the server says nothing of it; 0 for what it must be asked about each time, and for what is no such number. */
function lifetimeMs({ expires, date }: Fields, control: ReadonlyMap<string, string>): number | null {
  if (control.has("no-cache")) return 0;
  const seconds = control.get("s-maxage") ?? control.get("max-age");
  if (seconds !== undefined) return secondsOf(seconds) * 1000;
  if (expires === null) return null;
  // What is no date lies in the past (section 5.3).
  return (Date.parse(expires) || 0) - dateOf(date);
}

/** How old it was when it came (section 4.2.3): by its date, and by what caches in between say. */
function ageMs({ date, age }: Fields, asked: number, answered: number): number {
  const apparent = Math.max(0, Date.now() - dateOf(date));
  return Math.max(apparent, secondsOf(age ?? "0") * 1000 + (answered - asked));
}

const dateOf = (date: string | null): number => Date.parse(date ?? "") || Date.now();
const secondsOf = (text: string): number => (/^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : 0);
