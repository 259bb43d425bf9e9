import { command } from "./command";
import type { Gateway, TagHandlers } from "./index";

export function digits(gateway: Gateway): TagHandlers<"digits"> {
  return { playAndGetDigits: command(gateway) };
}
