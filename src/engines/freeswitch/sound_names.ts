/** What FreeSWITCH is told to play: a file by its path, where it has the same folder, or by its URL, where it has not. */
import type { Log } from "../../log";
import type { Sound } from "../control/media_server";
import { fileName, silence, Unspeakable, urlName } from "./commands";

export class SoundNames {
  readonly #log: Log;
  /** What was found last time is tried first. */
  #byUrl = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Tries one name after the other, until FreeSWITCH finds what it names.
   * @param play answers false when it does not
   */
  async find(sound: Sound, from_ms: number, play: (name: string) => Promise<boolean>): Promise<boolean> {
    if (!("samples" in sound)) return play(silence(sound.silence_ms - from_ms));
    const { path, url } = sound;
    for (const byUrl of this.#byUrl ? [true, false] : [false, true]) {
      const name = this.#speakable(() => (byUrl ? url && urlName(url) : fileName(path)));
      if (!name || !(await play(name))) continue;
      this.#byUrl = byUrl;
      return true;
    }
    return false;
  }

  #speakable(name: () => string | undefined): string | undefined {
    try {
      return name();
    } catch (err) {
      if (!(err instanceof Unspeakable)) throw err;
      this.#log.error({ err }, "a media file has a name that FreeSWITCH would not read as one");
      return undefined;
    }
  }
}
