/** Answered calls that speak and hear, for as long as somebody listens. */
import { setTimeout as delay } from "node:timers/promises";
import { app_id, type Callers, type Placed, paced } from "./callers";
import type { Heard, Program } from "./process";

const perSecond = 60;

export interface Talking extends Placed {
  /** Where the gateway hears this call. */
  readonly port: number;
}

/** @param then what each does once it is answered */
export async function talking(
  callers: Callers,
  ears: Program,
  calls: number,
  then: (session_uuid: string) => Promise<void> = async () => undefined,
): Promise<Talking[]> {
  const placed = await paced(calls, perSecond, async (i): Promise<Talking> => {
    const call = await callers.place(`caller${i}`, ears.ready.port);
    await callers.gateway.command(app_id, call.session_uuid, "answer");
    const { body } = await call.phone.response(200);
    call.phone.ack();
    await then(call.session_uuid);
    return { ...call, port: Number(/m=audio (\d+) /.exec(body)?.[1]) };
  });
  await ears.ask({ ask: "speak", ports: placed.map(({ port }) => port) });
  return placed;
}

export interface Hearing {
  readonly heard: Heard;
  /** Shares of a core. */
  readonly cpu: number;
  readonly media_cpu: number;
}

export async function hearing({ gateway }: Callers, ears: Program, seconds: number): Promise<Hearing> {
  // Until the rush of the beginning is over.
  await delay(1000);
  const before = await gateway.program.cpu();
  const begin = performance.now();
  const heard = await ears.ask({ ask: "listen", seconds });
  const after = await gateway.program.cpu();
  const passed = (performance.now() - begin) * 1000;
  return { heard, cpu: (after.own - before.own) / passed, media_cpu: (after.media - before.media) / passed };
}

export async function hungUp(placed: readonly Talking[]): Promise<void> {
  for (const { client, phone } of placed) {
    phone.send("BYE");
    await phone.response(200, "BYE");
    await client.close();
  }
}
