/** One handler for each operation of the contract, from the files of its tags. */
import type { Config } from "../config";
import type * as contract from "../contract";
import type { Engine, Sandbox } from "../engines/engine";
import type { Log } from "../log";
import type { Sessions } from "../sessions/sessions";
import type { App, Session, Store } from "../store/store";
import type { Webhooks } from "../webhooks/delivery";
import { apps } from "./apps";
import { calls } from "./calls";
import { digits } from "./digits";
import { meta } from "./meta";
import { playback } from "./playback";
import { sandbox } from "./sandbox";
import { sessions } from "./sessions";

/** What handlers work with. */
export interface Gateway {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly webhooks: Webhooks;
  readonly engines: readonly Engine[];
  /** Null where no embedded engine runs. */
  readonly sandbox: Sandbox | null;
  readonly config: Config;
  /** Key of the digests of API keys. */
  readonly secretsKey: Buffer;
  readonly lifecycle: { readonly draining: boolean };
  readonly log: Log;
}

/** What a handler of this operation is given. */
export type Call<O extends contract.OperationId> = contract.Call<O, App, Session>;
export type TagHandlers<T extends contract.Tag> = contract.TagHandlers<T, App, Session>;
export type Handlers = contract.Handlers<App, Session>;

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
