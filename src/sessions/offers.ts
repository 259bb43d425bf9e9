/** Calls that want in: whose they are, and whether there is room for them. */
import type { Offer, Verdict } from "../engines/engine";
import { appIdForm, nodeOf } from "../ids";
import type { Log } from "../log";
import type { App, Session, Store } from "../store/store";
import { numbered } from "./events";
import type { SessionEvent } from "./happening";
import type { Leases } from "./leases";
import type { Live } from "./live";
import { createSession } from "./session";
import type { Writer } from "./writer";

export interface OfferOptions {
  readonly store: Pick<Store, "appForDid" | "app" | "createSession">;
  /** Something was committed for this app: deliveries may begin. */
  readonly wake: (app_id: string) => void;
  readonly maxSessions: number;
  readonly defaultAppId: string | null;
  /** Calls of this instance. */
  readonly live: Live;
  readonly leases: Leases;
  readonly calls: Writer<Session, SessionEvent>;
  readonly log: Log;
}

export class Offers {
  readonly #options: OfferOptions;
  #refusing = false;

  constructor(options: OfferOptions) {
    this.#options = options;
  }

  /** No new calls from now on. */
  refuse(): void {
    this.#refusing = true;
  }

  /** It belongs to the app that the media server names, when there is one, else to that of its number, else to the default app. */
  async offer(call: Offer): Promise<Verdict> {
    const { live, leases, calls, maxSessions, log } = this.#options;
    if (this.#refusing || live.size >= maxSessions) return "overloaded";
    const { session_uuid, did, app_id } = call;
    // Nobody would be told of it, and its end would be told by somebody else.
    const tenure = leases.tenure(nodeOf(session_uuid));
    if (!tenure) return "unavailable";
    // Before the first await, so that a burst of calls cannot pass the bound together.
    live.add(session_uuid);
    let created: Promise<boolean> | null = null;
    try {
      const app = (await this.#named(app_id)) ?? (await this.appFor(did));
      created = app && this.#create(call, app);
      if (!(app && (await created))) {
        live.delete(session_uuid);
        return "no_app";
      }
      // Whoever has the node by now finds it in the media server and in the store.
      if (tenure.over) {
        live.delete(session_uuid);
        log.warn({ session_uuid, app_id: app.app_id, did }, "call left to another instance");
        return "unavailable";
      }
      log.info({ session_uuid, app_id: app.app_id, did }, "call accepted");
      return "accepted";
    } catch (err) {
      log.error({ session_uuid, err }, "call refused: the store cannot be asked");
      // Whether it is stored is not known: if it is, it has to end. Until that is settled it counts as a call.
      if (created) calls.add(session_uuid, ended("NORMAL_TEMPORARY_FAILURE"));
      else live.delete(session_uuid);
      return "unavailable";
    }
  }

  /** Whose number it is. */
  async appFor(did: string): Promise<App | null> {
    const { store, defaultAppId } = this.#options;
    return (await store.appForDid(did)) ?? (defaultAppId === null ? null : store.app(defaultAppId));
  }

  /** The app that the media server names, when there is one. */
  async #named(app_id: string | null): Promise<App | null> {
    return app_id !== null && appIdForm.test(app_id) ? this.#options.store.app(app_id) : null;
  }

  /** False when the app went away meanwhile. */
  async #create(call: Offer, app: App): Promise<boolean> {
    const { store, wake } = this.#options;
    const { session_uuid } = call;
    const { app_id } = app;
    const at = Date.now();
    const made = createSession({ ...call, app_id, node: nodeOf(session_uuid) }, at);
    const events = numbered({ session_uuid }, made, app, at);
    const created = await store.createSession(made.state, events);
    if (created && events.length > 0) wake(app_id);
    return created;
  }
}

/** The gateway ends a call itself: normal, temporary failure (Q.850 cause 41). */
export function ended(cause: string): Extract<SessionEvent, { type: "hangup" }> {
  return { type: "hangup", cause, q850_cause: 41, sip_status: null, by: "gateway" };
}
