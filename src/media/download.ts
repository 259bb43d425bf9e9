/** A tenant's URL to a file on disk. */
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Outbound, RequestError } from "../outbound/request";
import { MediaError } from "./error";
import type { Lease, Patience } from "./room";

const maxRedirects = 3;
const redirects = [301, 302, 303, 307, 308];

export interface Download {
  readonly url: string;
  readonly target: string;
  readonly maxBytes: number;
  /** Taken of before bytes are written. */
  readonly room: Lease;
  /** For all hops together, until the last byte is there. */
  readonly patience: Patience;
}

/**
 * Fetches a file, redirects included; each hop is checked like the first.
 * @returns its size in bytes
 * @throws MediaError; the reason of the signal once it aborts
 */
export async function download(outbound: Outbound, file: Download): Promise<number> {
  let url = parse(file.url, undefined);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const found = await get(outbound, url, file);
    if (typeof found === "number") return found;
    url = parse(found.location, url);
  }
  throw new MediaError("unreachable");
}

function parse(text: string, base: URL | undefined): URL {
  if (!URL.canParse(text, base?.href)) throw new MediaError("unreachable");
  return new URL(text, base);
}

async function get(outbound: Outbound, url: URL, file: Download): Promise<number | { location: string }> {
  const { signal, until } = file.patience;
  try {
    const deadlineMs = Math.max(1, until - performance.now());
    const headers = { "User-Agent": "Voicegate", Accept: "audio/*", "Accept-Encoding": "identity" };
    return await outbound.exchange({ method: "GET", url, headers, deadlineMs, signal }, (answer) =>
      receive(answer, file),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RequestError)) throw error;
    throw new MediaError(error.reason === "aborted" ? "timeout" : error.reason);
  }
}

async function receive(answer: IncomingMessage, file: Download): Promise<number | { location: string }> {
  const { statusCode = 0, headers } = answer;
  if (redirects.includes(statusCode)) {
    if (headers.location === undefined) throw new MediaError("unreachable");
    return { location: headers.location };
  }
  if (statusCode !== 200) throw new MediaError(statusCode >= 400 && statusCode < 500 ? "not_found" : "unreachable");
  if (Number(headers["content-length"] ?? 0) > file.maxBytes) throw new MediaError("too_large");
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      size += chunk.length;
      if (size > file.maxBytes) next(new MediaError("too_large"));
      else file.room.take(chunk.length, file.patience).then(() => next(null, chunk), next);
    },
  });
  try {
    await pipeline(answer, meter, createWriteStream(file.target, { flags: "wx", mode: 0o600 }));
  } catch (error) {
    // The connection broke in the middle; a full disk is another matter.
    if (error instanceof MediaError || answer.complete) throw error;
    throw new RequestError("unreachable");
  }
  return size;
}
