/** The file that is decoded, read piece by piece. Only for the decoding thread: reads block. */
import { readSync } from "node:fs";
import type { MediaFailure } from "../engines/engine";

/** Why a file cannot be decoded. */
export class Undecodable extends Error {
  constructor(readonly reason: Extract<MediaFailure, "unsupported_format" | "too_large" | "timeout">) {
    super(reason);
    this.name = "Undecodable";
  }
}

export class Source {
  constructor(
    readonly fd: number,
    /** Bytes. */
    readonly size: number,
  ) {}

  /** Up to `length` bytes from an offset; fewer only at the end of the file. */
  read(offset: number, length: number): Buffer {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const buffer = Buffer.alloc(wanted);
    let read = 0;
    while (read < wanted) {
      const count = readSync(this.fd, buffer, read, wanted - read, offset + read);
      if (count === 0) break;
      read += count;
    }
    return buffer.subarray(0, read);
  }
}
