/** What goes to a gateway and comes back. */
import type { IncomingHttpHeaders } from "node:http";
import type { Exchange } from "../../check";
import type { AnswerId } from "./declared";

export type JsonObject = Readonly<Record<string, unknown>>;
export type RequestHeaders = Readonly<Record<string, string | string[]>>;

export interface KitRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers?: RequestHeaders;
  /** An object is sent as JSON, with its Content-Type unless the headers have one; null and "" are no body. */
  readonly body?: string | Buffer | object | null;
  /** Sent without a length. */
  readonly chunked?: boolean;
}

export interface Answer {
  /** Whose answer it is: the operation's, or one from below the router. */
  readonly operation: AnswerId;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The JSON of the body; undefined when it is none. */
  readonly body: JsonObject | undefined;
  readonly exchange: Exchange;
}
