import type { MediaFailure } from "../engines/engine";

/** Why a file cannot be played: the `reason` of `playback.file_not_found`. */
export class MediaError extends Error {
  constructor(readonly reason: MediaFailure) {
    super(reason);
    this.name = "MediaError";
  }
}
