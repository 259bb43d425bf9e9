/** Callers with the telephones of the tests, and the receiver of the app beside them: one process, one clock. */
import { setTimeout as delay } from "node:timers/promises";
import { type Client, udpClient } from "../../test/sip/client";
import { Phone, sdp } from "../../test/sip/phone";
import { type Arrival, Endpoint } from "./endpoint";
import { Gateway } from "./gateway";

export const app_id = "bench";

/** A call of which the app has heard. */
export interface Placed {
  readonly client: Client;
  readonly phone: Phone;
  readonly session_uuid: string;
  /** From the moment the INVITE was sent to the arrival of `call.new`. */
  readonly took_ms: number;
}

export class Callers {
  readonly #told = new Map<string, (arrival: Arrival & Pick<Placed, "session_uuid">) => void>();
  readonly #endpoint = new Endpoint((arrival) => {
    const { event, session_uuid, data } = arrival;
    if (event !== "call.new" || session_uuid === undefined) return;
    this.#told.get(data.caller_id ?? "")?.({ ...arrival, session_uuid });
  });

  private constructor(readonly gateway: Gateway) {}

  /** @param env of the gateway */
  static async open(env: Readonly<Record<string, string>> = {}): Promise<Callers> {
    const callers = new Callers(await Gateway.start("gateway", env));
    const port = await callers.#endpoint.listen();
    await callers.gateway.putApp(app_id, { webhook_url: `http://127.0.0.1:${port}/`, dids: ["*"] });
    return callers;
  }

  /**
   * @param name of the caller, his own
   * @param mediaPort where he hears; nobody listens at the default
   */
  async place(name: string, mediaPort = 40_000): Promise<Placed> {
    const client = await udpClient(this.gateway.program.ready.sipPort ?? 0);
    const phone = new Phone(client, "100", name);
    const invite = phone.write("INVITE", { body: sdp().replace("m=audio 40000", `m=audio ${mediaPort}`) });
    const told = new Promise<Arrival & Pick<Placed, "session_uuid">>((resolve) => this.#told.set(name, resolve));
    const sent = performance.now();
    client.send(invite);
    const { at, session_uuid } = await told;
    return { client, phone, session_uuid, took_ms: at - sent };
  }

  received(event: string, count: number): Promise<void> {
    return this.#endpoint.received(event, count);
  }

  async close(): Promise<void> {
    await this.gateway.stop();
    await this.#endpoint.close();
  }
}

/** Begins so many, evenly. */
export async function paced<T>(count: number, perSecond: number, begin: (i: number) => Promise<T>): Promise<T[]> {
  const origin = performance.now();
  const begun: Promise<T>[] = [];
  for (let i = 0; i < count; i++) {
    await delay(origin + (i * 1000) / perSecond - performance.now());
    const each = begin(i);
    // One that fails before the last has begun is heard of below, and not by the process.
    each.catch(() => undefined);
    begun.push(each);
  }
  return Promise.all(begun);
}
