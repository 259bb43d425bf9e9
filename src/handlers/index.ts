/** One handler for each operation of the contract, from the files of its tags. */
import { apps } from "./apps";
import { calls } from "./calls";
import { digits } from "./digits";
import type { Gateway, Handlers } from "./gateway";
import { meta } from "./meta";
import { playback } from "./playback";
import { sandbox } from "./sandbox";
import { sessions } from "./sessions";

export function createHandlers(gateway: Gateway): Handlers {
  return {
    ...sessions(gateway),
    ...calls(gateway),
    ...playback(gateway),
    ...digits(gateway),
    ...apps(gateway),
    ...sandbox(gateway),
    ...meta(gateway),
  };
}
