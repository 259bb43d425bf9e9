/** Every command of the program, in the order of the overview. */
import { conformance, conformanceGateway, conformanceReceiver } from "../conformance/command";
import { appsCreate, appsDelete, appsList, appsRotate, appsShow } from "./apps";
import { call } from "./call";
import type { Command } from "./command";
import { completionsOf } from "./completions";
import { doctor } from "./doctor/doctor";
import { eventsTail } from "./events";
import { listen } from "./listen";
import { dev, serve } from "./serve";
import { trigger } from "./trigger";
import { verifySignature } from "./verify_signature";

export const commands: readonly Command[] = [
  dev,
  serve,
  call,
  listen,
  eventsTail,
  appsCreate,
  appsList,
  appsShow,
  appsRotate,
  appsDelete,
  trigger,
  verifySignature,
  doctor,
  conformance,
  conformanceGateway,
  conformanceReceiver,
  completionsOf(() => commands),
];
