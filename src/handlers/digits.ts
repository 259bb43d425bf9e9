import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function digits(gateway: Gateway): TagHandlers<"digits"> {
  return { playAndGetDigits: command(gateway) };
}
