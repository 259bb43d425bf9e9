/** The documentation as it was built: what there is by path, each file in every encoding that a client may take. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { acceptedEncoding, type Encoding } from "./encoding";

/** Where a file lies in the pack: its first byte, and how many they are. */
export type Place = readonly [start: number, length: number];

/** One file, as the list that the build writes has it. */
export interface Entry {
  /** Path below `/docs`: `""`, `/errors`, `/assets/page-….js`. */
  readonly path: string;
  /** Value of `Content-Type`. */
  readonly type: string;
  /** Of the bytes as they are without compression. */
  readonly digest: string;
  readonly br: Place;
  readonly gzip: Place;
}

/** A file in the encoding that was asked for. */
export interface Served {
  readonly type: string;
  readonly encoding: Encoding;
  /** An entity tag of this encoding, with its quotes. */
  readonly etag: string;
  readonly bytes: Buffer;
}

/** What the build writes into its folder: the list of entries as JSON, and all of their bytes. */
export const list = "portal.json";
export const pack = "portal.pack";

export class Portal {
  readonly #entries: ReadonlyMap<string, Entry>;
  /** In memory from the start, so that a build that replaces the files cannot part it from its list. */
  readonly #pack: Buffer;

  /** @param folder what the build has written; one that is not there is a portal without pages */
  constructor(folder: string) {
    const file = path.join(folder, list);
    const built = existsSync(file);
    const entries: readonly Entry[] = built ? JSON.parse(readFileSync(file, "utf8")) : [];
    this.#pack = built ? readFileSync(path.join(folder, pack)) : Buffer.alloc(0);
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
  }

  /** The one that is compiled along with this file, which lies in dist/src/portal. */
  static built(): Portal {
    return new Portal(path.join(__dirname, "../../portal"));
  }

  /** Paths below `/docs` of all files. */
  get paths(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * @param name path below `/docs`
   * @param accept `Accept-Encoding`, as it came
   * @returns null when there is no such file
   */
  find(name: string, accept: string | undefined): Served | null {
    const entry = this.#entries.get(name);
    if (!entry) return null;
    const encoding = acceptedEncoding(accept);
    return { type: entry.type, encoding, etag: `"${entry.digest}-${encoding}"`, bytes: this.#bytes(entry, encoding) };
  }

  #bytes({ br, gzip }: Entry, encoding: Encoding): Buffer {
    const [start, length] = encoding === "br" ? br : gzip;
    const bytes = this.#pack.subarray(start, start + length);
    // Browsers take either; whoever takes none asks seldom.
    return encoding === "identity" ? gunzipSync(bytes) : bytes;
  }
}
