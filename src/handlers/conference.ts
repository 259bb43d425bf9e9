import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function conference(gateway: Gateway): TagHandlers<"conference"> {
  return {
    joinRoom: command(gateway),
    leaveRoom: command(gateway),
    mute: command(gateway),
    unmute: command(gateway),
  };
}
