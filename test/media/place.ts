/** Media files with a web server that has them: what each test serves, decoded and read back. */
import { EventEmitter, once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createLog } from "../../src/log";
import { MediaError, type MediaFile, MediaFiles, type MediaFilesOptions, type MediaShare } from "../../src/media/files";
import { wavHeader, wavHeaderBytes } from "../../src/wav";

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

export class Place {
  readonly #messages: string[] = [];
  readonly #news = new EventEmitter();
  readonly files: MediaFiles;
  /** All that were made of the web server. */
  readonly requests: IncomingMessage[] = [];
  readonly #served = new Map<string, Serve>();
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    const serve = this.#served.get(request.url ?? "");
    if (serve) serve(request, response);
    else response.writeHead(404).end();
  });
  #origin = "";

  private constructor(
    readonly parent: string,
    options: Partial<MediaFilesOptions>,
  ) {
    const log = createLog("debug", { write: (line) => this.#note(JSON.parse(line)) });
    this.files = new MediaFiles({ allowLocalhost: true, directory: parent, log, ...options });
  }

  static async open(options: Partial<MediaFilesOptions> = {}): Promise<Place> {
    const place = new Place(await mkdtemp(path.join(tmpdir(), "voicegate-test-")), options);
    await place.files.start();
    place.#server.listen(0, "127.0.0.1");
    await once(place.#server, "listening");
    place.#origin = `http://127.0.0.1:${(place.#server.address() as AddressInfo).port}`;
    return place;
  }

  /** @returns its URL */
  serve(name: string, what: Serve | Buffer): string {
    this.#served.set(`/${name}`, typeof what === "function" ? what : (_, response) => response.end(what));
    return this.url(name);
  }

  url(name: string): string {
    return `${this.#origin}/${name}`;
  }

  async samples(url: string, share: MediaShare = this.files.share()): Promise<Int16Array> {
    const file = await share.open(url);
    const samples = await this.read(file);
    file.release();
    return samples;
  }

  /** What is in a file that is held. */
  async read(file: MediaFile): Promise<Int16Array> {
    const bytes = await readFile(file.path);
    const header = wavHeader(1, file.samples * 2);
    if (!bytes.subarray(0, wavHeaderBytes).equals(header)) throw new Error("not the head of such a file");
    if (bytes.length !== wavHeaderBytes + file.samples * 2)
      throw new Error(`${file.samples} samples in ${bytes.length} bytes`);
    return Int16Array.from({ length: file.samples }, (_, i) => bytes.readInt16LE(wavHeaderBytes + i * 2));
  }

  /** Serves it, and decodes it. */
  play(what: Serve | Buffer): Promise<Int16Array> {
    return this.samples(this.serve("file", what));
  }

  /** Why it cannot be played. */
  async refusal(what: Serve | Buffer | string, share: MediaShare = this.files.share()): Promise<string> {
    const opened = share.open(typeof what === "string" ? what : this.serve("file", what));
    const error = await opened.then(
      (file) => new Error(`it has ${file.samples} samples`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof MediaError)) throw error;
    return error.reason;
  }

  /** The `nth` line of the log with this message, now or as soon as it comes. */
  async message(text: string, nth = 1): Promise<void> {
    while (this.count(text) < nth) await once(this.#news, "line");
  }

  /** How many lines of the log had this message so far. */
  count(text: string): number {
    return this.#messages.filter((message) => message === text).length;
  }

  #note({ msg }: { msg: string }): void {
    this.#messages.push(msg);
    this.#news.emit("line");
  }

  /** Names of the files on disk now. */
  async held(): Promise<string[]> {
    const found = await readdir(this.parent, { recursive: true });
    return found.filter((name) => name.includes(path.sep));
  }

  /** Names of the files that stay: what is released goes on its own, a few turns of the file system later. */
  async left(): Promise<string[]> {
    let found = await this.held();
    for (let looks = 0; looks < 1000 && found.length > 0; looks++) found = await this.held();
    return found;
  }

  /** Until so many files are on the disk, or the test runs out of time. */
  async stays(count: number): Promise<void> {
    while ((await this.held()).length !== count);
  }

  /** Until no more files than these are on the disk, or the test runs out of time. */
  async atMost(count: number): Promise<void> {
    while ((await this.held()).length > count);
  }

  async close(): Promise<void> {
    await this.files.close();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
    const left = await readdir(this.parent);
    await rm(this.parent, { recursive: true });
    if (left.length > 0) throw new Error(`left behind: ${left.join()}`);
  }
}
