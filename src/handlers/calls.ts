import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function calls(gateway: Gateway): TagHandlers<"calls"> {
  return { answer: command(gateway), hangup: command(gateway), disconnect: command(gateway) };
}
