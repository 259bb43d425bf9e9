/** Step 7 of the checks: from the bytes of a request to one JSON object, or the error that says why not. */
import { isUtf8 } from "node:buffer";
import { IncomingMessage } from "node:http";
import type { Context, Middleware } from "koa";
import { koaBody } from "koa-body";
import { fault } from "./envelope";
import { askForBody } from "./transport";

export type JsonObject = Record<string, unknown>;

/** The client went away while its body was read: there is nobody to answer. */
export class Aborted extends Error {}

const max_depth = 32;
const passed = Promise.resolve();
const pass = () => passed;
const nothing = () => undefined;

/** Arrays and objects inside each other; the recursion ends where the answer is known. */
function deeper(value: unknown, left: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (left === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) if (deeper(item, left - 1)) return true;
    return false;
  }
  for (const item of Object.values(value)) if (deeper(item, left - 1)) return true;
  return false;
}

const utf8 = /^"?utf-?8"?$/i;

/** `application/json`, whatever its parameters are, except for a charset that is not UTF-8 (RFC 8259 section 8.1). */
export function isJson(type: string | undefined): boolean {
  if (type === "application/json") return true;
  if (type === undefined) return false;
  const [essence, ...parameters] = type.split(";");
  if (essence?.trim().toLowerCase() !== "application/json") return false;
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const name = parameter.slice(0, equals).trim().toLowerCase();
    if (name === "charset" && !utf8.test(parameter.slice(equals + 1).trim())) return false;
  }
  return true;
}

function declaredLength(req: IncomingMessage): number {
  const length = req.headers["content-length"];
  return length === undefined ? 0 : Number(length);
}

/**
 * co-body keeps the stream that inflates to itself: it does not see a client that goes away, and once it has its verdict
 * nobody listens to that stream, so that bytes which are no gzip after the limit were an uncaught exception (observed).
 * Answers what ends it.
 */
function superviseInflation(req: IncomingMessage): () => void {
  const coding = req.headers["content-encoding"];
  if (coding === undefined) return nothing;
  req.headers["content-encoding"] = coding.toLowerCase();
  let end = nothing;
  req.pipe = <T extends NodeJS.WritableStream>(destination: T, options?: { end?: boolean }): T => {
    destination.on("error", nothing);
    end = () => {
      if ("destroy" in destination && typeof destination.destroy === "function") destination.destroy(new Aborted());
    };
    return IncomingMessage.prototype.pipe.call(req, destination, options) as T;
  };
  req.once("close", () => {
    if (!req.complete) end();
  });
  return () => end();
}

/** Whether a chunked body has a byte at all. */
function begins(req: IncomingMessage): Promise<boolean> {
  return new Promise((resolve, reject) => {
    req.once("readable", () => resolve(req.read(1) !== null));
    req.once("end", () => resolve(false));
    req.once("close", () => reject(new Aborted()));
  });
}

/** Throws away a chunked body that nobody reads, as long as it is not too large. */
function discard(req: IncomingMessage, limit: number): Promise<undefined> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const count = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) return;
      req.off("data", count);
      reject(fault("413 Request body too large"));
    };
    req.on("data", count);
    req.once("end", () => resolve(undefined));
    req.once("close", () => reject(new Aborted()));
  });
}

/** Reads the bodies of all operations with one limit. */
export class Bodies {
  private readonly parse: Middleware;

  /** @param limit bytes, after decompression */
  constructor(private readonly limit: number) {
    this.parse = koaBody({
      json: true,
      jsonTypes: ["application/json"],
      text: false,
      urlencoded: false,
      multipart: false,
      jsonLimit: limit,
      // Bytes, one per character: koa-body's UTF-8 turns what is none into U+FFFD without a word.
      encoding: "binary",
      includeUnparsed: true,
    });
  }

  /** For an operation that takes no body: its size is limited all the same. */
  ignore(ctx: Context): Promise<undefined> | undefined {
    const { req, res } = ctx;
    if (declaredLength(req) > this.limit) throw fault("413 Request body too large");
    if (req.headers["transfer-encoding"] === undefined) return undefined;
    askForBody(req, res);
    return discard(req, this.limit);
  }

  /**
   * The body of a request: `{}` when it has none, or an empty one.
   *
   * @throws the declared 400, 413, 415; {@link Aborted}
   */
  async read(ctx: Context): Promise<JsonObject> {
    const { req, res } = ctx;
    const length = declaredLength(req);
    if (length === 0 && req.headers["transfer-encoding"] === undefined) return {};
    if (!isJson(req.headers["content-type"])) {
      if (length === 0) {
        askForBody(req, res);
        if (!(await begins(req))) return {};
      }
      throw fault("415 Content-Type must be application/json");
    }
    const body = await this.json(ctx);
    if (body === null) throw fault("415 Content-Type must be application/json");
    return body;
  }

  /**
   * The same for an operation that looks only at JSON: a body of any other type is as good as none.
   *
   * @throws the declared 400, 413; {@link Aborted}
   */
  async lenient(ctx: Context): Promise<JsonObject> {
    const { req } = ctx;
    const chunked = req.headers["transfer-encoding"] !== undefined;
    if (!chunked && declaredLength(req) === 0) return {};
    if (!isJson(req.headers["content-type"])) await this.ignore(ctx);
    else {
      const body = await this.json(ctx);
      if (body !== null) return body;
      if (chunked) await discard(req, this.limit);
    }
    return {};
  }

  /** Null, and nothing is read: the parser does not recognise the type after all, such as one behind a no-break space. */
  private async json(ctx: Context): Promise<JsonObject | null> {
    const { req, res } = ctx;
    if (declaredLength(req) > this.limit) throw fault("413 Request body too large");
    askForBody(req, res);
    const end = superviseInflation(req);
    try {
      await this.parse(ctx, pass);
    } catch (error) {
      throw verdict(req, error);
    } finally {
      end();
    }
    const { body, rawBody } = ctx.request;
    return rawBody === undefined ? null : accepted(body, rawBody);
  }
}

function verdict(req: IncomingMessage, error: unknown): Error {
  if (error instanceof Error && "status" in error && error.status === 413) return fault("413 Request body too large");
  return req.destroyed && !req.complete ? new Aborted() : fault("400 Invalid request body");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is meant
const beyond_ascii = /[^\x00-\x7f]/;

/** koa-body has refused what is no JSON and every `__proto__` key, whose bytes are the same in any encoding. */
function accepted(body: unknown, raw: string): JsonObject {
  let value = body;
  if (beyond_ascii.test(raw)) {
    const bytes = Buffer.from(raw, "latin1");
    if (!isUtf8(bytes)) throw fault("400 Invalid request body");
    value = JSON.parse(bytes.toString("utf8"));
  }
  if (Array.isArray(value) || deeper(value, max_depth)) throw fault("400 Invalid request body");
  return value as JsonObject;
}
