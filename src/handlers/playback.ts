import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function playback(gateway: Gateway): TagHandlers<"playback"> {
  return { startPlayback: command(gateway), stopPlayback: command(gateway) };
}
