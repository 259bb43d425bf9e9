/** All faults of gateways, by theme. */
import { apps } from "./apps";
import { cooldowns } from "./cooldowns";
import { delivered } from "./deliveries";
import { effects } from "./effects";
import { envelope } from "./envelope";
import type { Fault } from "./fault";
import { forms } from "./forms";
import { headers } from "./headers";
import { limits } from "./limits";
import { matrixNames } from "./matrix";
import { order } from "./order";
import { quotas } from "./quotas";
import { reading } from "./reads";
import { recordings } from "./recordings";
import { replayed } from "./replays";
import { rooms } from "./rooms";
import { routes } from "./routes";
import { signatures } from "./signatures";
import { meta, streams } from "./streams";
import { told } from "./told";
import { values } from "./values";

export const faults: readonly Fault[] = [
  ...envelope,
  ...headers,
  ...routes,
  ...limits,
  ...values,
  ...forms,
  ...order,
  ...quotas,
  ...cooldowns,
  ...replayed,
  ...told,
  ...signatures,
  ...delivered,
  ...effects,
  ...reading,
  ...rooms,
  ...recordings,
  ...streams,
  ...apps,
  ...meta,
];

/** Those that are tried when nobody says which. */
export const matrix: readonly Fault[] = faults.filter(({ name }) => matrixNames.has(name));
