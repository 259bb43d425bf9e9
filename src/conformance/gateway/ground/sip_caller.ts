/** Calls by a SIP phone of the kit's own: as real as those of customers, over the network to whatever media server. */
import { setTimeout as delay } from "node:timers/promises";
import { placeSipCall, type SipCall } from "../../../caller/call";
import { Broken, Skipped, Unreachable } from "../../check";
import { type Called, type Caller, callerId, type Placed, type ScriptStep } from "./caller";

/** From the INVITE until the app knows of the call. */
const ringMs = 10_000;
/** Between two looks at the list of calls, of which the webhook mostly saves the first. */
const lookMs = 200;

export class SipCaller implements Caller {
  readonly kind = "sip";
  readonly number: string | null;
  readonly #calls = new Set<SipCall>();
  /** What stands behind the number. */
  readonly #host: string;
  readonly #dialled: string | null;

  /**
   * @param uri `sip:host:port`: each app has a number of its own; `sip:number@host:port`: the main app has this one, and
   *   others cannot be called
   * @param did the number as the gateway knows it, where it is another than the one that is dialled
   * @throws Unreachable when the URI is none
   */
  constructor(uri: string, did: string | null) {
    const [, user, host] = /^sip:(?:([^@]+)@)?([^@]+)$/.exec(uri) ?? [];
    if (host === undefined) throw new Unreachable(`${uri} is no SIP URI: sip:host:port or sip:number@host:port.`);
    this.#host = host;
    this.#dialled = user ?? null;
    this.number = user === undefined ? null : (did ?? user);
  }

  async place(app: Called, script: readonly ScriptStep[]): Promise<Placed> {
    if (this.number !== null && app.did !== this.number)
      throw new Skipped(`Only ${this.number} can be called, which is another app's: use --caller sip:host:port.`);
    const caller_id = callerId();
    const uri = `sip:${this.#dialled ?? app.did}@${this.#host}`;
    const call = await placeSipCall({ uri, callerId: caller_id, script });
    this.#calls.add(call);
    void call.ended.then(async () => {
      this.#calls.delete(call);
      await call.close();
    });
    const session_uuid = await ringing(app, caller_id, call);
    app.endpoint.listen(session_uuid, (event) => call.tell(event));
    return { session_uuid, caller_id, phone: call };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#calls].map((call) => call.close()));
  }
}

/** The session of a call, by what the app is told, or else by its list: not every app wants to be told of calls. */
async function ringing(app: Called, caller_id: string, call: SipCall): Promise<string> {
  const deadline = performance.now() + ringMs;
  let end: string | null = null;
  void call.ended.then(({ status, reason }) => {
    end = `${status ?? ""} ${reason}`.trim();
  });
  const told = () =>
    app.endpoint.deliveries.find(({ event, data }) => event === "call.new" && data.caller_id === caller_id)?.source;
  while (performance.now() < deadline) {
    const found = (await app.endpoint.within(lookMs, told)) ?? (await listed(app, caller_id));
    if (found !== undefined) return found;
    // Over before anybody was told: a call that was refused, unless its webhook is still on its way.
    if (end !== null) {
      await delay(lookMs);
      const late = told();
      if (late !== undefined) return late;
      throw new Broken({ expected: `a call to ${app.did} that rings`, got: end });
    }
  }
  await call.close();
  throw new Broken({ expected: `a call to ${app.did} that the app is told of within ${ringMs / 1000} s`, got: "none" });
}

async function listed(app: Called, caller_id: string): Promise<string | undefined> {
  const { body } = await app.get("/api/v1/sessions");
  const sessions = Array.isArray(body?.sessions) ? body.sessions : [];
  const found = sessions.find((session) => Object(session).caller_id === caller_id);
  return found === undefined ? undefined : String(Object(found).session_uuid);
}
