/** What handlers are given and what they are, with this gateway's own kinds of app and session. */
import type { Config } from "../config";
import type * as contract from "../contract";
import type { Engine, Sandbox } from "../engines/engine";
import type { Log } from "../log";
import type { MediaFiles } from "../media/files";
import type { Metrics } from "../metrics";
import type { Portal } from "../portal/portal";
import type { Recordings } from "../recordings/recordings";
import type { Sessions } from "../sessions/sessions";
import type { App, Loaded, Room, Session, Store } from "../store/store";
import type { Webhooks } from "../webhooks/delivery";

/** What handlers work with. */
export interface Gateway {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly webhooks: Webhooks;
  readonly engines: readonly Engine[];
  /** Null where no embedded engine runs. */
  readonly sandbox: Sandbox | null;
  readonly recordings: Recordings;
  readonly media: Pick<MediaFiles, "find">;
  readonly metrics: Metrics;
  readonly portal: Portal;
  readonly config: Config;
  /** Key of the digests of API keys. */
  readonly secretsKey: Buffer;
  readonly lifecycle: { readonly draining: boolean };
  readonly log: Log;
}

/** What a handler of this operation is given: a call or room as the store has just answered it. */
export type Call<O extends contract.OperationId> = contract.Call<O, App, Loaded<Session>, Loaded<Room>>;
export type TagHandlers<T extends contract.Tag> = contract.TagHandlers<T, App, Loaded<Session>, Loaded<Room>>;
export type Handlers = contract.Handlers<App, Loaded<Session>, Loaded<Room>>;
