/** Between a store and its Redis: a TCP proxy that holds answers back, and cuts connections where it hurts. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Which answer is cut off. */
interface Cut {
  /** So many requests are answered before; 0 when not given. */
  readonly after?: number;
  /** So many bytes of the answer still pass; none when not given. */
  readonly bytes?: number;
}

interface Trap {
  /** Requests until it snaps. */
  left: number;
  readonly bytes: number;
  sprung: boolean;
}

/** One connection: from the store (`near`), and to Redis (`far`). */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** What cuts it when the next answer comes. */
  trap: Trap | null;
}

export class RedisProxy {
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #trap: Trap | null = null;
  #asked: () => void = () => undefined;
  #refusing = false;
  #held = false;
  /** How many connections were ever made through it. */
  connections = 0;
  /** Bytes of requests since the start. */
  requested = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  /** In front of the Redis at this port. */
  static async start(target: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `redis://127.0.0.1:${port}`;
  }

  /** How many connections there are now. */
  get open(): number {
    return this.#pairs.size;
  }

  /**
   * Lets a request through, waits until Redis has answered it, and cuts the connection: what was asked for has been done, and
   * nobody has learnt it. Requests are told apart by the moment in which they are sent: no others may be under way.
   *
   * @returns whether it has come to that; asked, it takes the trap away
   */
  cutAnswer({ after = 0, bytes = 0 }: Cut = {}): () => boolean {
    const trap: Trap = { left: after, bytes, sprung: false };
    this.#trap = trap;
    return () => {
      if (this.#trap === trap) this.#trap = null;
      return trap.sprung;
    };
  }

  /** Resolves when the next request has been passed on. */
  asked(): Promise<void> {
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  /** Requests still pass, and are done; answers wait until `release`. */
  hold(): void {
    this.#held = true;
    for (const { far } of this.#pairs) far.pause();
  }

  release(): void {
    this.#held = false;
    for (const { far } of this.#pairs) far.resume();
  }

  /** Cuts what is connected and everything that connects, until `accept`. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  accept(): void {
    this.#refusing = false;
  }

  /** Cuts what is connected: who connects anew is welcome. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    this.connections += 1;
    if (this.#refusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#target, "127.0.0.1");
    const pair: Pair = { near, far, trap: null };
    this.#pairs.add(pair);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      // Either end may go at any time: the other one learns it by `close`.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk: Buffer) => this.#ask(pair, chunk));
    far.on("data", (chunk: Buffer) => this.#answer(pair, chunk));
    if (this.#held) far.pause();
  }

  #ask(pair: Pair, chunk: Buffer): void {
    this.requested += chunk.length;
    if (this.#trap !== null && this.#trap.left-- === 0) {
      pair.trap = this.#trap;
      this.#trap = null;
    }
    pair.far.write(chunk);
    this.#asked();
  }

  #answer({ near, far, trap }: Pair, chunk: Buffer): void {
    if (trap === null) {
      near.write(chunk);
      return;
    }
    trap.sprung = true;
    far.destroy();
    near.end(chunk.subarray(0, trap.bytes), () => near.destroy());
  }
}
