/** The answer to whoever asks for a file or for a range of it. */
import { askedRange } from "./range";

/** A file that is the same as long as it is there. */
export interface File {
  readonly bytes: number;
  /** Offsets of the first and the last byte. */
  read(first: number, last: number): AsyncIterable<Uint8Array>;
}

/** What of a call is looked at. */
interface Asked {
  readonly headers?: { readonly Range?: string; readonly "If-Range"?: string };
  error(failure: "416 Range not satisfiable"): Error;
}

/** @param name what is in the file never changes under it */
export function fileReply(call: Asked, name: string, { bytes, read }: File) {
  const etag = `"${name}"`;
  const range = askedRange(call.headers?.Range, call.headers?.["If-Range"], etag, bytes);
  if (range === "unsatisfiable") throw call.error("416 Range not satisfiable");
  const { first, last } = range === "whole" ? { first: 0, last: bytes - 1 } : range;
  const headers = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-store",
    ETag: etag,
    "Content-Length": String(last + 1 - first),
  } as const;
  const body = read(first, last);
  if (range === "whole") return { status: 200, headers, body } as const;
  const whole = `bytes ${first}-${last}/${bytes}`;
  return { status: 206, headers: { ...headers, "Content-Range": whole }, body } as const;
}
