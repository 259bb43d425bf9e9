/** What comes from a socket, taken as it is wanted: nothing is read ahead, so that whoever sends too much has to wait. */
import type { Socket } from "node:net";

export class Incoming {
  /** What has come and was not taken. */
  bytes: Buffer = Buffer.alloc(0);
  #over = false;
  #wake: (() => void) | null = null;

  constructor(private readonly socket: Socket) {
    socket.on("readable", () => this.#wake?.());
    for (const end of ["end", "close"]) {
      socket.on(end, () => {
        this.#over = true;
        this.#wake?.();
      });
    }
  }

  /** Waits for more bytes. @param idleMs how long; 0: as long as it takes */
  async more(idleMs = 0): Promise<"more" | "end" | "idle"> {
    for (;;) {
      const chunk: Buffer | null = this.socket.read();
      if (chunk) {
        this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
        return "more";
      }
      if (this.#over) return "end";
      if (!(await this.#woken(idleMs))) return "idle";
    }
  }

  take(length: number): Buffer {
    const taken = this.bytes.subarray(0, length);
    this.bytes = this.bytes.subarray(length);
    return taken;
  }

  #woken(idleMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = idleMs > 0 ? setTimeout(() => done(false), idleMs) : undefined;
      const done = (woken: boolean) => {
        clearTimeout(timer);
        this.#wake = null;
        resolve(woken);
      };
      this.#wake = () => done(true);
    });
  }
}

/** Waits until the other side takes more. */
export async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || socket.destroyed || socket.writableEnded || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
