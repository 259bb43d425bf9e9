/** One handler for each operation of the contract, from the files of its tags. */
import { apps } from "./apps";
import { calls } from "./calls";
import { conference } from "./conference";
import { digits } from "./digits";
import { docs } from "./docs";
import { events } from "./events";
import type { Gateway, Handlers } from "./gateway";
import { media } from "./media";
import { meta } from "./meta";
import { playback } from "./playback";
import { recordings } from "./recordings";
import { rooms } from "./rooms";
import { sandbox } from "./sandbox";
import { sessions } from "./sessions";

export function createHandlers(gateway: Gateway): Handlers {
  return {
    ...sessions(gateway),
    ...calls(gateway),
    ...playback(gateway),
    ...digits(gateway),
    ...recordings(gateway),
    ...media(gateway),
    ...conference(gateway),
    ...rooms(gateway),
    ...events(gateway),
    ...apps(gateway),
    ...sandbox(gateway),
    ...meta(gateway),
    ...docs(gateway),
  };
}
