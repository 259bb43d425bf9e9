/** Laws of each single attempt: what it looks like on the wire, who signed it, and when. */
import { promised } from "../../../promised";
import { signatureOf } from "../../signature";
import type { Clock } from "../ground/clock";
import type { Delivery, Endpoint } from "../ground/endpoint";
import type { Breach, Law } from "./law";

/** One attempt may be so late, on a machine that has much to do. */
const lateMs = 15_000;
/** No gateway is so slow each time: what comes so often, and never sooner, is kept back. */
const never = [
  { times: 3, ms: 4_000 },
  { times: 6, ms: 1_800 },
] as const;
/** What the estimate of the other clock may be wrong by. */
const skewMs = 3_000;

/** How late something came, all times of one kind; told at the end, when more is known of the other clock. */
interface Lateness {
  readonly law: Law;
  readonly what: string;
  readonly all: { readonly ms: number; readonly delivery: Delivery }[];
}

export class AttemptLaws {
  readonly #lateness = new Map<string, Lateness>();

  watch(endpoint: Endpoint, delivery: Delivery, breach: Breach): void {
    const { method, target, headers, text, event, app_id } = delivery;
    if (method !== "POST") breach("request", method);
    // What stands between may take away the beginning of a path.
    const { pathname } = new URL(endpoint.url);
    if (!pathname.endsWith(target)) breach("request", `the target ${target}, not ${pathname}`);
    const type = headers["content-type"] ?? "none";
    if (!/^application\/json(; *charset=utf-8)?$/i.test(type)) breach("request", `Content-Type ${type}`);
    for (const fault of promised().webhookErrors(event, text)) breach("schema", fault);
    if (app_id !== endpoint.app_id) breach("owner", `an event of ${app_id} for ${endpoint.app_id}`);
    const { wanted } = endpoint;
    if (wanted !== null && wanted.length > 0 && !wanted.includes(event))
      breach("wanted", `${event}, but ${wanted.join(", ")} were asked for`);
    this.#signed(endpoint, delivery, breach);
  }

  /** Its first attempt came at once, if it is this gateway's habit: nothing that came before it was refused. */
  prompt(delivery: Delivery): void {
    this.#timed("prompt", delivery.event, delivery.at - Date.parse(delivery.timestamp), delivery);
  }

  /** Judges what was late or early. */
  conclude({ offset }: Clock, tell: (law: Law, got: string, delivery: Delivery) => void): void {
    for (const { law, what, all } of this.#lateness.values()) {
      const known = all.map(({ ms, delivery }) => ({ ms: ms + (offset ?? 0), delivery }));
      const least = known.reduce((a, b) => (b.ms < a.ms ? b : a), known[0] ?? { ms: 0, delivery: null });
      // Without any knowledge of its clock only the differences count.
      const zero = offset === null ? least.ms : 0;
      for (const { ms, delivery } of known)
        if (ms - zero > lateMs || ms - zero < -skewMs) tell(law, `${what} ${Math.round(ms - zero)} ms late`, delivery);
      const always = never.some(({ times, ms }) => known.length >= times && least.ms - zero > ms);
      if (always && least.delivery)
        tell(
          law,
          `${what} ${Math.round(least.ms - zero)} ms late at least, each of ${known.length} times`,
          least.delivery,
        );
    }
  }

  #signed({ secrets }: Endpoint, delivery: Delivery, breach: Breach): void {
    const { headers, text, id, at } = delivery;
    const timestamp = String(headers["webhook-timestamp"] ?? "");
    const given = String(headers["webhook-signature"] ?? "");
    // Visible characters: it goes into logs, keys and the text that is signed.
    if (!/^[!-~]{1,256}$/.test(id)) breach("signature", `webhook-id "${id}"`);
    if (!/^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$/.test(given))
      breach("signature", `webhook-signature "${given}"`);
    // In seconds, and neither a sign nor a zero before it.
    if (!/^[1-9][0-9]{9}$/.test(timestamp)) breach("fresh", `webhook-timestamp "${timestamp}"`);
    else this.#timed("fresh", "signed", at - Number(timestamp) * 1000 - 500, delivery);
    const parts = given.split(" ");
    const wanted = secrets.map((secret) => signatureOf(secret, id, timestamp, text));
    const fit = wanted.filter((signature) => parts.includes(signature)).length;
    if (fit < wanted.length) breach("signature", `${fit} of ${wanted.length} signatures fit`);
    else if (parts.length > wanted.length)
      breach("signature", `${parts.length} signatures for ${wanted.length} secrets`);
  }

  #timed(law: Law, what: string, ms: number, delivery: Delivery): void {
    if (Number.isNaN(ms)) return;
    const key = `${law} ${what}`;
    const known = this.#lateness.get(key) ?? { law, what, all: [] };
    known.all.push({ ms, delivery });
    this.#lateness.set(key, known);
  }
}
