/** Fastify in front of the gateway's own store: what is left between this and the gateway is not Redis. */
import { randomUUID } from "node:crypto";
import { keyDigest } from "../../src/keys";
import type { Admission, Loaded, Session, Store } from "../../src/store/store";
import type { Admit, Asked, Verdict } from "./fastify";
import { talking } from "./filling";

type Admitted = Extract<Admission, { outcome: "admitted" }>;

export class StoredAdmission {
  readonly #secretsKey = Buffer.alloc(32, "bench");
  /** What is computed once per connection elsewhere. */
  readonly #digests = new Map<string, string>();
  #commits = 0;

  constructor(readonly store: Store) {}

  async calls(app_id: string, api_key: string, calls: number): Promise<string[]> {
    const digest = this.#digest(app_id, api_key);
    const settings = { app_id, webhook_url: "", rate_limit: 0, events: [], dids: [] };
    await this.store.putApp({ settings, digest, created: { digest, secret: `whsec_${randomUUID()}` } });
    const sessions = Array.from({ length: calls }, () => talking(app_id, Date.now()));
    for (const session of sessions) await this.store.createSession(session, []);
    return sessions.map(({ session_uuid }) => session_uuid);
  }

  /** Has the results of what is pending written, without an event. */
  async settle(sessions: readonly string[]): Promise<void> {
    for (const session_uuid of sessions) {
      const loaded = await this.store.loadSession(session_uuid);
      if (loaded && loaded.state.operations.length > 0) await this.#commit(loaded, []);
    }
  }

  /** The admission alone. */
  readonly admit: Admit = async (asked) => verdictOf(await this.#admitted(asked));

  /** And its result, as of a command that the media server confirms at once. */
  readonly result: Admit = async (asked) => {
    const admission = await this.#admitted(asked);
    const { session } = admission;
    if (!session) throw new Error("a command of a call without a call");
    const { session_uuid, app_id, sequence: last, operations } = session.state;
    const operation = operations.at(-1);
    const sequence = last + 1;
    const data = {
      command: operation?.command,
      command_uid: operation?.command_uid,
      operation_id: operation?.operation_id,
    };
    const event = {
      event: "command.result",
      session_uuid,
      sequence,
      timestamp: new Date().toISOString(),
      app_id,
      data: { ...data, success: true },
    };
    await this.#commit(session, [event]);
    return verdictOf(admission);
  };

  async #admitted(asked: Asked): Promise<Admitted> {
    const { app_id, api_key, session_uuid, command, command_uid, guards, cooldown, timeout_ms } = asked;
    const admission = await this.store.admit({
      app_id,
      digest: this.#digest(app_id, api_key),
      address: "127.0.0.1",
      default_rate_limit: 10_000,
      held: false,
      session_uuid,
      room_id: null,
      ended: false,
      command: {
        command,
        operation_id: randomUUID(),
        command_uid: command_uid ?? randomUUID(),
        uid_given: command_uid !== undefined,
        fingerprint: "",
        barred: null,
        guards,
        cooldown,
        timeout_ms,
      },
    });
    if (admission.outcome !== "admitted") throw new Error(`not admitted: ${admission.outcome}`);
    return admission;
  }

  async #commit(loaded: Loaded<Session>, events: readonly { readonly sequence: number; readonly event: string }[]) {
    const { state, version, revision } = loaded;
    const { session_uuid: id, app_id } = state;
    const sequence = events.at(-1)?.sequence ?? state.sequence;
    const at = Date.now();
    this.#commits += 1;
    const outcome = await this.store.commit({
      id,
      app_id,
      version,
      revision,
      fence: null,
      nonce: `bench.${process.pid}.${this.#commits}`,
      state: { ...state, operations: [], sequence },
      life: "live",
      events: events.map((event) => ({
        sequence: event.sequence,
        id: `${id}.${event.sequence}`,
        event: event.event,
        body: JSON.stringify(event),
        created_at: at,
        room_id: null,
      })),
      decided: state.operations.map((operation) => ({ operation, status: 202 })),
    });
    if (outcome !== "committed") throw new Error(`not committed: ${outcome}`);
  }

  #digest(app_id: string, api_key: string): string {
    const name = `${app_id} ${api_key}`;
    const known = this.#digests.get(name);
    if (known !== undefined) return known;
    const digest = keyDigest(this.#secretsKey, app_id, api_key);
    this.#digests.set(name, digest);
    return digest;
  }
}

const verdictOf = ({ quota, session }: Admitted): Verdict => ({
  status: 202,
  operation_id: session?.state.operations.at(-1)?.operation_id ?? "",
  quota,
});
