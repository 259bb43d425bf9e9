/** What stands between a client and a gateway. */
import type { HttpAnswer, HttpRequest, RequestHead } from "./message";

/** Hands a request on. Called once at most; a second request belongs on a connection of its own. */
export type Next = (request: HttpRequest) => Promise<HttpAnswer>;

/** What stands between client and gateway. */
export interface Middle {
  /** Bytes of no request that was understood have no method. */
  wants(head: RequestHead): boolean;
  /** Is the body asked for here, before the gateway has seen anything? */
  continues(head: RequestHead): boolean;
  exchange(request: HttpRequest, next: Next): Promise<HttpAnswer>;
}
