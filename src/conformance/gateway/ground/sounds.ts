/** The kit's web server as media files go: tones of any length, and all that can be wrong with a file. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { wavHeader, wavRate } from "../../../wav";
import { Skipped } from "../../check";
import type { World } from "../world";
import type { KitCall } from "./app";

/** One more than a file may have. */
const tooMany = 50 * 1024 * 1024 + 1;
const amplitude = 8000;
const hz = 440;
/** For documentation only (RFC 5737): nobody may be sent there. */
const nowhere = "http://192.0.2.1/tone.wav";

interface File {
  readonly answer: (response: ServerResponse, request: IncomingMessage) => void | Promise<void>;
  asked: number;
}

export class Sounds {
  readonly #files = new Map<string, File>();
  readonly #url: string;
  readonly #real: boolean;
  #made = 0;

  private constructor(world: World) {
    this.#real = world.caller.kind !== "sandbox";
    this.#url = world.server.at((request, response) => this.#answer(request, response));
  }

  /** The files of the whole run. */
  static files(world: World): Promise<Sounds> {
    return world.once("files", async () => new Sounds(world));
  }

  /**
   * The same, once it is known that the gateway fetches files from here.
   * @throws Skipped when it does not
   */
  static of(world: World): Promise<Sounds> {
    return world.once("sounds", async () => {
      const sounds = await Sounds.files(world);
      const url = sounds.own(100);
      const call = await (await world.main()).answered();
      await call.command("startPlayback", { urls: [url] });
      const told = () => [...call.named("playback.file_not_found"), ...call.named("playback.started")][0];
      await call.app.endpoint.within(5000, told);
      await call.command("hangup");
      sounds.expectAllowed(call, url);
      return sounds;
    });
  }

  /**
   * A tone of this length that is fetched once and kept. Real media servers get one each time: an Asterisk that fetches
   * one file for several calls at the same time fails for some of them.
   */
  tone(ms: number): string {
    if (this.#real) return this.own(ms);
    const name = `/tone-${ms}.wav`;
    if (!this.#files.has(name)) this.#put(name, serves(ms, { "Cache-Control": "max-age=3600" }));
    return this.#url + name;
  }

  /** A tone of its own, with what is said of its keeping. @param fields of the answer */
  own(ms: number, fields: Readonly<Record<string, string>> = {}): string {
    return this.#new(serves(ms, fields));
  }

  missing(): string {
    return this.#new((response) => void response.writeHead(404).end());
  }

  /** What calls itself a sound and is none. */
  text(): string {
    return this.#new((response) => {
      response.writeHead(200, { "Content-Type": "audio/wav" }).end("no sound at all, and long enough to be looked at");
    });
  }

  /** Announces more than is allowed, and never sends it. */
  huge(): string {
    return this.#new((response) => void response.writeHead(200, { "Content-Length": tooMany }).flushHeaders());
  }

  /** Where nothing listens. */
  unreachable(): string {
    return this.#new((response) => void response.destroy());
  }

  /** An address that nobody may be sent to. */
  forbidden(): string {
    return nowhere;
  }

  /** A tone behind so many redirects. */
  redirected(times: number, ms: number): string {
    let url = this.tone(ms);
    for (let left = times; left > 0; left -= 1) {
      const Location = url;
      url = this.#new((response) => void response.writeHead(302, { Location }).end());
    }
    return url;
  }

  /** A tone that is not sent before it is released. `requested`: somebody has asked for it. */
  held(ms: number): { readonly url: string; readonly requested: Promise<void>; release(): void } {
    let [release, asked] = [() => {}, () => {}];
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const requested = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const sends = serves(ms, {});
    const url = this.#new(async (response) => {
      asked();
      await released;
      sends(response);
    });
    return { url, requested, release };
  }

  /** How often this file was fetched. */
  asked(url: string): number {
    return this.#files.get(url.slice(this.#url.length))?.asked ?? 0;
  }

  /**
   * What the gateway makes of files is for the checks to say; but it may not be allowed to fetch any from here.
   * @throws Skipped when it said so of this file, and did not ask for it
   */
  expectAllowed(call: KitCall, url: string): void {
    const told = call.named("playback.file_not_found").find(({ data }) => data.url === url);
    if (told?.data.reason !== "forbidden_address" || this.asked(url) > 0) return;
    throw new Skipped(
      `The gateway may not fetch media files from ${this.#url}: ALLOW_LOCALHOST_MEDIA, or --public-url.`,
    );
  }

  #new(answer: File["answer"]): string {
    return this.#put(`/file-${++this.#made}.wav`, answer);
  }

  #put(name: string, answer: File["answer"]): string {
    this.#files.set(name, { answer, asked: 0 });
    return this.#url + name;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, , name = ""] = (request.url ?? "").split("/");
    const file = this.#files.get(`/${name}`);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    file.asked += 1;
    await file.answer(response, request);
  }
}

function serves(ms: number, fields: Readonly<Record<string, string>>): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { "Content-Type": "audio/wav", ...fields }).end(tone(ms));
  };
}

/** A sine as a WAV file. */
function tone(ms: number): Buffer {
  const samples = Math.round((ms * wavRate) / 1000);
  const header = wavHeader(1, samples * 2);
  const wav = Buffer.concat([header, Buffer.alloc(samples * 2)]);
  for (let at = 0; at < samples; at += 1)
    wav.writeInt16LE(Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / wavRate)), header.length + at * 2);
  return wav;
}
