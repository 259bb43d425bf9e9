/** Where the frames of the Redis protocol end, version 2 and 3: https://redis.io/docs/latest/develop/reference/protocol-spec/ */

const lineEnd = "\r\n";
/** What is followed by as many bytes as its line says, and by as many frames, or twice as many. */
const blobs = "$=!";
const lists = "*~>";
const maps = "%|";

/** @returns where the frame that begins at `from` ends; -1 when its end is not there yet */
export function frameEnd(bytes: Buffer, from: number): number {
  const line = bytes.indexOf(lineEnd, from);
  if (line === -1) return -1;
  const type = String.fromCharCode(bytes[from] ?? 0);
  let end = line + lineEnd.length;
  if (!`${blobs}${lists}${maps}`.includes(type)) return end;
  const count = Number(bytes.toString("latin1", from + 1, line));
  if (blobs.includes(type)) {
    // Null has no bytes, and no end of them.
    if (count >= 0) end += count + lineEnd.length;
    return end <= bytes.length ? end : -1;
  }
  for (let left = maps.includes(type) ? 2 * count : count; left > 0; left--) {
    end = frameEnd(bytes, end);
    if (end === -1) return -1;
  }
  return end;
}

/** Cuts a stream of bytes into frames. */
export class Frames {
  #rest: Buffer = Buffer.alloc(0);

  /** @returns the frames that are whole with this chunk */
  take(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole: Buffer[] = [];
    let from = 0;
    while (from < bytes.length) {
      const end = frameEnd(bytes, from);
      if (end === -1) break;
      whole.push(bytes.subarray(from, end));
      from = end;
    }
    this.#rest = bytes.subarray(from);
    return whole;
  }
}

/** The first words of a command, which is an array of blobs: its name and what it is given. */
export function words(command: Buffer, count: number): string[] {
  const found: string[] = [];
  let at = command.indexOf(lineEnd) + lineEnd.length;
  while (found.length < count && at < command.length) {
    const end = frameEnd(command, at);
    if (end === -1) break;
    const line = command.indexOf(lineEnd, at) + lineEnd.length;
    found.push(command.toString("utf8", line, end - lineEnd.length));
    at = end;
  }
  return found;
}
