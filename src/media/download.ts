/** A tenant's URL to a file on disk. */
import { createWriteStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import { performance } from "node:perf_hooks";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Outbound, RequestError } from "../outbound/request";
import { MediaError } from "./error";
import type { Patience } from "./patience";
import type { Lease } from "./room";
import { type Answer, Terms } from "./terms";

const redirects = [301, 302, 303, 307, 308];

export interface Download {
  readonly url: URL;
  /** Fields that ask whether what is known of it still holds. */
  readonly conditions: Readonly<Record<string, string>>;
  readonly target: string;
  readonly maxBytes: number;
  /** Taken of before bytes are written. */
  readonly room: Lease;
  /** Until the last byte is there. */
  readonly patience: Patience;
  /** Told of the head of a file or of a redirect, before the rest is read. */
  readonly head: (terms: Terms) => void;
}

/** The file in its size, where it is, or that what is known still holds. */
export type Downloaded =
  | { readonly bytes: number; readonly terms: Terms }
  | { readonly location: string }
  | { readonly unchanged: Answer };

/**
 * Asks for a file once; redirects are answers like others.
 * @throws MediaError; the reason of the signal once it aborts
 */
export async function download(outbound: Outbound, file: Download): Promise<Downloaded> {
  const { url } = file;
  const { signal, until } = file.patience;
  const asked = performance.now();
  try {
    const deadlineMs = Math.max(1, until - asked);
    const headers = {
      "User-Agent": "Voicegate",
      Accept: "audio/*",
      "Accept-Encoding": "identity",
      ...file.conditions,
    };
    return await outbound.exchange({ method: "GET", url, headers, deadlineMs, signal }, (message) =>
      receive(message, file, asked),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RequestError)) throw error;
    throw new MediaError(error.reason === "aborted" ? "timeout" : error.reason);
  }
}

async function receive(message: IncomingMessage, file: Download, asked: number): Promise<Downloaded> {
  const { statusCode = 0, headers } = message;
  const authorized = file.url.username !== "" || file.url.password !== "";
  const answer = { headers, authorized, asked, answered: performance.now() };
  if (statusCode === 304 && Object.keys(file.conditions).length > 0) return { unchanged: answer };
  const terms = Terms.of(answer);
  if (redirects.includes(statusCode)) {
    if (headers.location === undefined) throw new MediaError("unreachable");
    file.head(terms);
    return { location: headers.location };
  }
  if (statusCode !== 200) throw new MediaError(statusCode >= 400 && statusCode < 500 ? "not_found" : "unreachable");
  if (Number(headers["content-length"] ?? 0) > file.maxBytes) throw new MediaError("too_large");
  file.head(terms);
  return { bytes: await store(message, file), terms };
}

async function store(message: IncomingMessage, file: Download): Promise<number> {
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      size += chunk.length;
      if (size > file.maxBytes) next(new MediaError("too_large"));
      else file.room.take(chunk.length, file.patience).then(() => next(null, chunk), next);
    },
  });
  try {
    await pipeline(message, meter, createWriteStream(file.target, { flags: "wx", mode: 0o600 }));
  } catch (error) {
    // The connection broke in the middle; a full disk is another matter.
    if (error instanceof MediaError || message.complete) throw error;
    throw new RequestError("unreachable");
  }
  return size;
}
