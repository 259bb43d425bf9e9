/** All checks of a gateway, in the order of reports. */
import type { Check } from "../check";
import { admin } from "./admin";
import { apps } from "./apps";
import { calls } from "./calls";
import { changed } from "./changed";
import { commandChecks } from "./commands";
import { cooldowns } from "./cooldowns";
import { deletion } from "./deletion";
import { delivery } from "./delivery";
import { digits } from "./digits";
import { endings } from "./endings";
import { errors } from "./errors";
import { events } from "./events";
import { goneChecks } from "./gone";
import { idempotency } from "./idempotency";
import { keys } from "./keys";
import { Laws } from "./laws";
import { letters } from "./letters";
import { limits } from "./limits";
import { liveness } from "./liveness";
import { mediaFiles } from "./media_files";
import { numbers } from "./numbers";
import { order } from "./order";
import { pages } from "./pages";
import { playback } from "./playback";
import { quota } from "./quota";
import { raw } from "./raw";
import { recordings } from "./recordings";
import { records } from "./records";
import { results } from "./results";
import { roomPlayback } from "./room_playback";
import { rooms } from "./rooms";
import { routes } from "./routes";
import { streams } from "./streams";
import { talks } from "./talks";
import { tour } from "./tour";
import { waiting } from "./waiting";
import type { World } from "./world";

export const gatewayChecks: readonly Check<World>[] = [
  ...liveness,
  ...tour,
  ...calls,
  ...endings,
  ...pages,
  ...playback,
  ...mediaFiles,
  ...digits,
  ...rooms,
  ...roomPlayback,
  ...recordings,
  ...commandChecks,
  ...idempotency,
  ...cooldowns,
  ...results,
  ...delivery,
  ...changed,
  ...letters,
  ...events,
  ...streams,
  ...apps,
  ...numbers,
  ...admin,
  ...waiting,
  ...goneChecks,
  ...deletion,
  ...records,
  ...errors(),
  ...raw(),
  ...order(),
  ...routes(),
  ...quota(),
  ...limits(),
  ...talks(),
  ...keys,
  ...Laws.checks(),
];
