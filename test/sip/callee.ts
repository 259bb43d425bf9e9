/** A SipServer under test and what it tells the engine. */

import type { SipCall, SipCallEnd } from "../../src/engines/embedded/sip/call";
import type { RemoteMedia } from "../../src/engines/embedded/sip/sdp";
import { type SipOptions, SipServer } from "../../src/engines/embedded/sip/server";
import { createLog } from "../../src/log";
import { Inbox } from "./inbox";

export type Told =
  | { readonly what: "end"; readonly end: SipCallEnd }
  | { readonly what: "digit"; readonly digit: string; readonly ms: number }
  | { readonly what: "remote"; readonly remote: RemoteMedia };

/** One call as the engine sees it. */
export class Taken {
  readonly told = new Inbox<Told>(JSON.stringify);

  constructor(readonly call: SipCall) {
    call.handler = {
      onEnd: (end) => this.told.put({ what: "end", end }),
      onDigit: (digit, ms) => this.told.put({ what: "digit", digit, ms }),
      onRemote: (remote) => this.told.put({ what: "remote", remote }),
    };
  }

  async end(): Promise<SipCallEnd | undefined> {
    const told = await this.told.next((each) => each.what === "end", "the end of the call");
    return told.what === "end" ? told.end : undefined;
  }

  async digit(): Promise<string> {
    const told = await this.told.next((each) => each.what === "digit", "a digit");
    return told.what === "digit" ? `${told.digit} ${told.ms}` : "";
  }

  async remote(): Promise<RemoteMedia | undefined> {
    const told = await this.told.next((each) => each.what === "remote", "negotiated media");
    return told.what === "remote" ? told.remote : undefined;
  }
}

export const media = { address: "127.0.0.1", port: 30_000 } as const;

export interface Callee {
  readonly server: SipServer;
  readonly port: number;
  readonly calls: Inbox<Taken>;
}

/** `take` is run when a call comes in; by default it is left alone. */
export async function callee(
  options: Partial<SipOptions> = {},
  take: (call: SipCall) => void = () => undefined,
): Promise<Callee> {
  const calls = new Inbox<Taken>((taken) => taken.call.did);
  const all = { host: "127.0.0.1", port: 0, publicHost: null, users: null, log: createLog("silent") };
  const server = new SipServer({ ...all, ...options }, (call) => {
    calls.put(new Taken(call));
    take(call);
  });
  const { port } = await server.listen();
  return { server, port, calls };
}

/** Answers at once. */
export const answering = (call: SipCall) => call.answer(media);
