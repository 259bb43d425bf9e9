import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function playback(gateway: Gateway): TagHandlers<"playback"> {
  return {
    startPlayback: command(gateway),
    stopPlayback: command(gateway),
    pausePlayback: command(gateway),
    resumePlayback: command(gateway),
    restartPlayback: command(gateway),
    seekPlayback: command(gateway),
    playSilence: command(gateway),
  };
}
