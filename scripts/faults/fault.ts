/** What a fault is: one thing that a gateway does wrong, in the hooks of the proxy before a right one. */
import type { Deliver, Delivery, Receipt } from "./delivery";
import type { HttpAnswer, HttpRequest, RequestHead } from "./message";
import type { Next } from "./middle";

/** One event of a stream, as it stands on the line, without the empty line at its end. */
export type Frame = string;

/** What a fault sees. Each that is not there is passed on. */
export interface Hooks {
  /** Which requests the fault wants to see; all of them when it is not said. Bytes that are no request have no method. */
  wants?(head: RequestHead): boolean;
  /** Is the body of this request asked for by the proxy itself? */
  continues?(head: RequestHead): boolean;
  exchange?(request: HttpRequest, next: Next): Promise<HttpAnswer>;
  delivery?(delivery: Delivery, deliver: Deliver): Promise<Receipt>;
  /** One event or comment of a stream. @returns what is sent in its place */
  frame?(frame: Frame): readonly Frame[];
}

/** What a fault works with. */
export interface Place {
  /** Says that it was in effect just now. */
  strike(): void;
  /** Asks the gateway from an address of its own: it takes nothing of the quota of clients. */
  ask(request: HttpRequest): Promise<HttpAnswer>;
  /** Signing secrets of an app, the newest first. */
  secrets(app_id: string): readonly string[];
  /** The same delivery with this body, and signed for it. */
  resigned(delivery: Delivery, body: Buffer): Delivery;
}

export interface Fault {
  /** Lower case, by theme: `envelope/extra-field`. */
  readonly name: string;
  /** What is wrong, in one line. */
  readonly about: string;
  /** What of the contract it breaks. */
  readonly clause: string;
  /** For one run; what it remembers is that run's. */
  start(place: Place): Hooks;
}
