/** All checks of a gateway, in the order of reports. */
import type { Check } from "../check";
import { admin } from "./families/admin";
import { apps } from "./families/apps";
import { calls } from "./families/calls";
import { changed } from "./families/changed";
import { commandChecks } from "./families/commands";
import { cooldowns } from "./families/cooldowns";
import { deletion } from "./families/deletion";
import { delivery } from "./families/delivery";
import { digits } from "./families/digits";
import { endings } from "./families/endings";
import { errors } from "./families/errors";
import { events } from "./families/events";
import { goneChecks } from "./families/gone";
import { idempotency } from "./families/idempotency";
import { keys } from "./families/keys";
import { letters } from "./families/letters";
import { limits } from "./families/limits";
import { liveness } from "./families/liveness";
import { mediaFiles } from "./families/media_files";
import { numbers } from "./families/numbers";
import { order } from "./families/order";
import { orderWhole } from "./families/order_whole";
import { pages } from "./families/pages";
import { playback } from "./families/playback";
import { quota } from "./families/quota";
import { raw } from "./families/raw";
import { recordings } from "./families/recordings";
import { roomPlayback } from "./families/room_playback";
import { rooms } from "./families/rooms";
import { routes } from "./families/routes";
import { streams } from "./families/streams";
import { talks } from "./families/talks";
import { tour } from "./families/tour";
import { waiting } from "./families/waiting";
import { Laws } from "./laws/laws";
import { records } from "./laws/records";
import { results } from "./laws/results";
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
  ...orderWhole(),
  ...routes(),
  ...quota(),
  ...limits(),
  ...talks(),
  ...keys,
  ...Laws.checks(),
];
