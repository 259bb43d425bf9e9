/** A web server with sound files: tones of any length, what is no sound, what is missing, and what comes when the test lets it. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Held {
  readonly requested: Promise<void>;
  arrive(response: ServerResponse): void;
  release(): void;
}

export class FileServer {
  readonly #held = new Map<string, Held>();
  readonly #server = createServer((request, response) => {
    const path = request.url ?? "";
    this.#requests.push(path);
    const held = this.#held.get(path);
    if (held) held.arrive(response);
    else answer(path, response);
  });
  readonly #requests: string[] = [];
  #origin = "";

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = this.#server.address() as AddressInfo;
    this.#origin = `http://127.0.0.1:${port}`;
  }

  /** A tone of so many ms. `name` makes it a file of its own; one that begins with "lasting" may be kept for an hour. */
  tone(ms: number, name = "tone"): string {
    return `${this.#origin}/${name}/${ms}.wav`;
  }

  missing(name = "nothing"): string {
    return `${this.#origin}/missing/${name}`;
  }

  text(): string {
    return `${this.#origin}/text`;
  }

  /** How often this file has been asked for. */
  requested(url: string): number {
    const { pathname } = new URL(url);
    return this.#requests.filter((path) => path === pathname).length;
  }

  /** From now on this file is not sent until it is released. */
  hold(url: string): Pick<Held, "requested" | "release"> {
    const path = new URL(url).pathname;
    const waiting: ServerResponse[] = [];
    let requested: () => void = () => undefined;
    const held: Held = {
      requested: new Promise((resolve) => {
        requested = resolve;
      }),
      arrive: (response) => {
        waiting.push(response);
        requested();
      },
      release: () => {
        this.#held.delete(path);
        for (const response of waiting) answer(path, response);
      },
    };
    this.#held.set(path, held);
    return held;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function answer(path: string, response: ServerResponse): void {
  const tone = /^\/[a-z0-9-]+\/(\d+)\.wav$/.exec(path);
  if (path.startsWith("/lasting")) response.setHeader("cache-control", "max-age=3600");
  if (tone?.[1]) response.writeHead(200, { "content-type": "audio/wav" }).end(wav(Number(tone[1])));
  else if (path === "/text") response.writeHead(200, { "content-type": "audio/wav" }).end("no sound at all");
  else response.writeHead(404).end();
}

/** 440 Hz, 8 kHz, 16 bit, mono, in a canonical RIFF header. */
function wav(ms: number): Buffer {
  const samples = ms * 8;
  const file = Buffer.alloc(44 + samples * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(16000, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples * 2, 40);
  // 11 periods are 200 samples: of long files, too, no more is computed.
  const periods = Int16Array.from({ length: 200 }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * i) / 8000)),
  );
  file.fill(Buffer.from(periods.buffer), 44);
  return file;
}
