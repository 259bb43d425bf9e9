/**
 * Requests that the gateway makes to addresses which tenants or the operator chose: one exchange, bounded in time, to
 * addresses that are allowed. Redirects are answers like others.
 */
import type { LookupAddress } from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Readable } from "node:stream";
import { urlToHttpOptions } from "node:url";
import { isForbidden } from "./addresses";
import { Names } from "./names";

/** `unreachable` is all that DNS, TCP, TLS and the HTTP parser can say; `aborted` is the caller's own signal or `close`. */
export type RequestFailure = "forbidden_address" | "timeout" | "unreachable" | "aborted";

export class RequestError extends Error {
  constructor(
    readonly reason: RequestFailure,
    /** The system's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), for logs. */
    readonly code: string | null = null,
  ) {
    super(code === null ? reason : `${reason} (${code})`);
    this.name = "RequestError";
  }
}

export interface OutboundRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** http or https; every other scheme is a `forbidden_address`. */
  readonly url: URL;
  readonly headers: http.OutgoingHttpHeaders;
  /**
   * What is too large for memory is opened anew each time that it has to be sent, and belongs to the request from then
   * on: `headers` tell its length.
   */
  readonly body?: string | Buffer | (() => Readable);
  /** For all of it: DNS, connection, TLS, headers and what is read of the body. */
  readonly deadlineMs: number;
  /** For how long nothing may move in either direction on a connection that is open: a `timeout`, too. */
  readonly idleMs?: number;
  readonly signal?: AbortSignal | undefined;
}

class ForbiddenAddress extends Error {
  readonly code = "FORBIDDEN_ADDRESS";
}

/** Shorter than the 5 s after which many servers close an idle connection, so that few requests meet a closed one. */
const idleMs = 4000;

const codeOf = (error: Error): string | null => ("code" in error && typeof error.code === "string" ? error.code : null);

export class Outbound {
  readonly #allowLocal: boolean;
  readonly #names = new Names();
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };
  /** For the repeat of a request that met a connection closed by the other side: never another one of the kept. */
  readonly #fresh: { readonly http: http.Agent; readonly https: https.Agent };

  #closed = false;

  constructor(options: { readonly allowLocal: boolean }) {
    this.#allowLocal = options.allowLocal;
    // Part of the agents, so that no connection is made without it; those kept alive have passed it.
    const lookup = this.#lookup.bind(this);
    const kept = { keepAlive: true, maxFreeSockets: 64, timeout: idleMs, lookup };
    this.#agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
    this.#fresh = { http: new http.Agent({ lookup }), https: new https.Agent({ lookup }) };
  }

  /**
   * Sends one request and hands the answer to `read` as soon as its headers are there. What `read` leaves unread is
   * cut off with the connection. When time is up the answer's stream fails; `read` decides whether that matters.
   * Rejects with `RequestError`, or with what `read` threw or the body's stream failed with for reasons of their own.
   */
  exchange<T>(request: OutboundRequest, read: (answer: http.IncomingMessage) => Promise<T>): Promise<T> {
    const { url, signal } = request;
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return Promise.reject(new RequestError("forbidden_address", "ERR_INVALID_PROTOCOL"));
    }
    // An address is never looked up, so `lookup` does not see it.
    const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
    if (isIP(host) !== 0 && isForbidden(host, this.#allowLocal)) {
      return Promise.reject(new RequestError("forbidden_address"));
    }
    if (this.#closed || signal?.aborted) return Promise.reject(new RequestError("aborted"));

    return new Promise<T>((resolve, reject) => {
      let stopped: "timeout" | "aborted" | null = null;
      let current: http.ClientRequest | null = null;
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        finish();
      };
      const fail = (error: unknown): void => {
        if (this.#closed) stopped ??= "aborted";
        settle(() => reject(stopped ? new RequestError(stopped) : error));
      };
      const stop = (why: "timeout" | "aborted"): void => {
        stopped = why;
        current?.destroy();
      };
      const onAbort = (): void => stop("aborted");
      const timer = setTimeout(stop, request.deadlineMs, "timeout" as const);
      signal?.addEventListener("abort", onAbort, { once: true });

      const send = (agents: { readonly http: http.Agent; readonly https: https.Agent }): void => {
        const options = { ...urlToHttpOptions(url), method: request.method, headers: request.headers };
        const sent =
          url.protocol === "https:"
            ? https.request({ ...options, agent: agents.https })
            : http.request({ ...options, agent: agents.http });
        current = sent;
        let answered = false;
        if (request.idleMs !== undefined) sent.setTimeout(request.idleMs, () => stop("timeout"));
        sent.once("response", (answer) => {
          answered = true;
          read(answer).then(
            (result) => {
              // Nor can a connection be used again whose other side answered before it had read everything.
              if (!answer.complete || !sent.writableFinished) sent.destroy();
              settle(() => resolve(result));
            },
            (error: unknown) => {
              sent.destroy();
              fail(error);
            },
          );
        });
        sent.on("error", (error) => {
          if (answered) return; // the answer's stream tells `read`
          const code = codeOf(error);
          const closedMeanwhile = sent.reusedSocket && (code === "ECONNRESET" || code === "EPIPE");
          if (closedMeanwhile && stopped === null && !this.#closed) return send(this.#fresh);
          fail(new RequestError(error instanceof ForbiddenAddress ? "forbidden_address" : "unreachable", code));
        });
        if (typeof request.body !== "function") {
          sent.end(request.body);
          return;
        }
        const body = request.body();
        body.once("error", (error) => {
          // First, so that it is the reason: all that the request can say of its end is that it broke off.
          fail(error);
          sent.destroy();
        });
        sent.once("close", () => body.destroy());
        body.pipe(sent);
      };
      send(this.#agents);
    });
  }

  /** Ends every connection, those in use too. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const agents of [this.#agents, this.#fresh]) {
      agents.http.destroy();
      agents.https.destroy();
    }
  }

  /** The addresses that are allowed, of those that a name has at the moment of the connection. */
  #lookup(...[hostname, options, callback]: Parameters<LookupFunction>): void {
    this.#names.resolve(hostname).then(
      (all) => {
        const ofFamily = (found: LookupAddress): boolean => !options.family || found.family === Number(options.family);
        const allowed = all.filter((found) => ofFamily(found) && !isForbidden(found.address, this.#allowLocal));
        const first = allowed[0];
        if (first === undefined) return callback(new ForbiddenAddress(hostname), "", 0);
        if (options.all) return callback(null, [...allowed]);
        callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  }
}

/**
 * Reads an answer to its end or up to `maxBytes`, keeps nothing, and never fails: for those whose question the status
 * has answered.
 */
export function discard(answer: http.IncomingMessage, maxBytes: number): Promise<void> {
  return new Promise((resolve) => {
    let read = 0;
    answer.on("data", (chunk: Buffer) => {
      read += chunk.length;
      if (read > maxBytes) resolve();
    });
    answer.once("end", resolve);
    answer.once("error", () => resolve());
    answer.once("close", resolve);
  });
}
