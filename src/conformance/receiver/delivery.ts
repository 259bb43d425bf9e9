/** One attempt to deliver something, as the gateway makes it or worse: what is sent, and what was answered. */
import { type Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import type { Exchange } from "../check";

/** Of a whole attempt, like the gateway's. */
export const attemptMs = 5000;
/** What the gateway reads of an answer. */
export const maxAnswerBytes = 64 * 1024;
/** What a report quotes of a body. */
const quoted = 4096;

export interface Sending {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How the body goes: at once with its length (the gateway's way), without a length, or in pieces with pauses. */
  readonly way?: "whole" | "chunked" | "pieces";
  /** The connection breaks: before the body is there, or before the answer is. */
  readonly breaks?: "body" | "answer";
  /** A line for a shell that does it again. */
  readonly repeat?: string;
}

export interface Answer {
  /** Null: there was none in time. */
  readonly status: number | null;
  /** The answer came to its end in time, and was not larger than the gateway reads. */
  readonly whole: boolean;
  readonly text: string;
  /** Until the status was there. */
  readonly ms: number;
  readonly exchange: Exchange;
  /** Why there is no status; "" when there is one. */
  readonly problem: string;
}

const pieceMs = 40;
/** How often the time that is left is looked at. */
const lookMs = 100;

/** Never rejects: what the other side does is what it answers. */
export async function deliver(url: string, sending: Sending, agent: HttpAgent): Promise<Answer> {
  const first = await attempt(url, sending, agent);
  // A connection that was kept may be closed by the other side just when it is used again: no fault of a receiver.
  return first.problem === "" || !first.reused ? first : attempt(url, sending, undefined);
}

function attempt(url: string, sending: Sending, agent: HttpAgent | undefined): Promise<Answer & { reused: boolean }> {
  const { method, headers, body, way = "whole", breaks } = sending;
  const bytes = Buffer.from(body, "utf8");
  const framed: Record<string, string> = { ...headers };
  // A broken one says the length of all that does not come.
  if (way === "whole" || breaks === "body") framed["Content-Length"] = String(bytes.length);
  else if (method !== "HEAD") framed["Transfer-Encoding"] = "chunked";
  if (way === "pieces") {
    delete framed["Transfer-Encoding"];
    framed["Content-Length"] = String(bytes.length);
  }
  const options: RequestOptions = { method, headers: framed, ...(agent && { agent }) };
  const begun = performance.now();
  return new Promise((resolve) => {
    let status: number | null = null;
    let answered: IncomingMessage["headers"] = {};
    let text = "";
    let ms = 0;
    const outgoing = url.startsWith("https:") ? requestHttps(url, options) : requestHttp(url, options);
    const over = (whole: boolean, problem: string) => {
      clearTimeout(timer);
      if (status === null) ms = Math.round(performance.now() - begun);
      const exchange: Exchange = {
        method,
        url,
        request: { headers: framed, body: shortened(body) },
        response: status === null ? null : { status, headers: answered, body: shortened(text) },
        ms,
        ...(sending.repeat !== undefined && { repeat: sending.repeat }),
      };
      const reused = outgoing.reusedSocket && problem.startsWith("the connection was closed");
      resolve({ status, whole, text, ms, exchange, problem: status === null ? problem : "", reused });
    };
    let left = attemptMs;
    let looked = begun;
    const look = () => {
      const now = performance.now();
      // What this process slept through, on a machine that has much to do, is not the other side's delay.
      left -= Math.min(now - looked, 2 * lookMs);
      looked = now;
      if (left > 0) {
        timer = setTimeout(look, lookMs);
        return;
      }
      over(false, `no answer within ${attemptMs / 1000} s`);
      outgoing.destroy();
    };
    let timer = setTimeout(look, lookMs);
    outgoing.on("response", (incoming) => {
      status = incoming.statusCode ?? 0;
      answered = incoming.headers;
      ms = Math.round(performance.now() - begun);
      let size = 0;
      incoming.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= maxAnswerBytes) text += chunk.toString("latin1");
        else {
          over(false, "");
          outgoing.destroy();
        }
      });
      incoming.once("end", () => over(true, ""));
      incoming.once("error", () => over(false, ""));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (status !== null) return; // Told by the answer's own stream.
      const closed = error.code === "ECONNRESET" || error.code === "EPIPE";
      over(false, closed ? `the connection was closed without an answer (${error.code})` : error.message);
    });
    if (breaks === "body") {
      outgoing.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => outgoing.destroy());
    } else if (breaks === "answer") {
      // Once all has gone out, and with time to arrive: the receiver has it, and cannot say so.
      outgoing.end(bytes, () => void delay(pieceMs).then(() => outgoing.destroy()));
    } else if (way === "pieces") {
      void piecemeal(outgoing, bytes);
    } else if (way === "chunked") {
      outgoing.write(bytes.subarray(0, Math.floor(bytes.length / 2)));
      outgoing.end(bytes.subarray(Math.floor(bytes.length / 2)));
    } else outgoing.end(bytes);
  });
}

/** In some pieces; one of them ends within a character, where there is one of several bytes. */
async function piecemeal(outgoing: { write(bytes: Buffer): unknown; end(): unknown }, bytes: Buffer): Promise<void> {
  const within = bytes.findIndex((byte) => byte >= 0xc0) + 1;
  const cuts = [1, within, Math.floor(bytes.length / 2), bytes.length - 1, bytes.length];
  let from = 0;
  for (const to of cuts.filter((cut) => cut > 0).sort((a, b) => a - b)) {
    if (to <= from) continue;
    outgoing.write(bytes.subarray(from, to));
    from = to;
    await delay(pieceMs * 5);
  }
  outgoing.end();
}

function shortened(text: string): string {
  return text.length <= quoted ? text : `${text.slice(0, quoted)}… (${text.length} in all)`;
}
