/** Server-sent events (WHATWG HTML, section 9.2), one by one through a fault. */
import type { Frame } from "./fault";

export class Frames implements AsyncIterable<Buffer> {
  constructor(
    private readonly pieces: AsyncIterable<Buffer>,
    private readonly change: (frame: Frame) => readonly Frame[],
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let rest = "";
    for await (const piece of this.pieces) {
      const frames = (rest + piece.toString("latin1")).split("\n\n");
      rest = frames.pop() ?? "";
      const out = frames.flatMap((frame) => this.change(frame)).map((frame) => `${frame}\n\n`);
      if (out.length > 0) yield Buffer.from(out.join(""), "latin1");
    }
  }
}
