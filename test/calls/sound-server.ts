/** A web server with the sounds of one test: whatever samples it is given, and what is no sound or too much of it. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mulaw } from "alawmulaw";
import { wav } from "../media/sound";

/** One more than a file may have. */
const tooMany = 50 * 1024 * 1024 + 1;

export class SoundServer {
  readonly #files = new Map<string, Buffer>();
  readonly #server = createServer((request, response) => this.#answer(request.url ?? "", response));
  #origin = "";

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @returns where these samples (8 kHz, mono) are */
  put(name: string, pcm: Int16Array): string {
    return this.#put(`/${name}.wav`, wav(pcm, 8000));
  }

  /** What calls itself a sound and is none. */
  text(): string {
    return this.#put("/text.wav", Buffer.from("no sound at all"));
  }

  missing(): string {
    return `${this.#origin}/missing.wav`;
  }

  /** Announces more than is allowed, and never sends it. */
  huge(): string {
    return `${this.#origin}/huge.wav`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #put(path: string, bytes: Buffer): string {
    this.#files.set(path, bytes);
    return this.#origin + path;
  }

  #answer(path: string, response: ServerResponse): void {
    const file = this.#files.get(path);
    if (file) response.writeHead(200, { "Content-Type": "audio/wav" }).end(file);
    else if (path === "/huge.wav") response.writeHead(200, { "Content-Length": tooMany }).flushHeaders();
    else response.writeHead(404).end();
  }
}

/**
 * Samples of which no few are like any others, here or under another seed, and none is as low as silence: where they are
 * heard, it can be said which they are.
 */
export function unlike(ms: number, seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: ms * 8 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const size = 400 + ((state >>> 8) % 8000);
    return state >>> 31 ? size : -size;
  });
}

/** As they are heard through PCMU. */
export const coded = (pcm: Int16Array): Int16Array => mulaw.decode(mulaw.encode(pcm));
