/** Which route a request names: a trie of path segments, built once. */
import { fault } from "./envelope";

/** What one path offers. */
export interface PathMethods<R> {
  readonly methods: Map<string, R>;
  /** Value of `Allow`. */
  allow: string;
  /** Names of the parameters, in the order of the path. */
  readonly parameters: readonly string[];
}

export interface Match<R> {
  readonly path: PathMethods<R>;
  /** Values of its parameters, decoded. */
  readonly values: readonly string[];
}

class Segment<R> {
  readonly literals = new Map<string, Segment<R>>();
  parameter: Segment<R> | null = null;
  /** The path that ends here. */
  end: PathMethods<R> | null = null;
  /** The path whose last parameter takes everything below here, of whatever depth. */
  rest: PathMethods<R> | null = null;
}

const parameter = /^\{(.+)\}$/;

/**
 * The part of a request target that names the path: without the query, and without scheme and authority, which a client
 * may send and a server must accept (RFC 9112 section 3.2.2).
 */
export function pathOf(target: string): string {
  const query = target.indexOf("?");
  const end = query === -1 ? target.length : query;
  if (target.charCodeAt(0) === 47) return query === -1 ? target : target.slice(0, end);
  const scheme = target.indexOf("://");
  if (scheme === -1 || scheme > end) return target.slice(0, end);
  const start = target.indexOf("/", scheme + 3);
  return start === -1 || start > end ? "/" : target.slice(start, end);
}

/**
 * Malformed percent-encoding is no HTTP; it is looked for once, in path and query.
 *
 * @throws the declared 400
 */
export function assertEncoding(target: string): void {
  try {
    decodeURIComponent(target);
  } catch (error) {
    if (error instanceof URIError) throw fault("400 Bad request");
    throw error;
  }
}

/** The query of a request target, without its question mark. */
export function queryOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? "" : target.slice(query + 1);
}

export class Paths<R> {
  private readonly root = new Segment<R>();

  /**
   * @param path template of the spec: `/api/v1/sessions/{uuid}`
   * @param rest the last parameter takes all that no other path takes, of whatever depth
   */
  add(path: string, method: string, route: R, rest = false): void {
    const segments = path.split("/").slice(1);
    const parameters = segments.flatMap((segment) => parameter.exec(segment)?.[1] ?? []);
    let at = this.root;
    for (const segment of rest ? segments.slice(0, -1) : segments) at = this.below(at, segment);
    const end: PathMethods<R> = (rest ? at.rest : at.end) ?? { methods: new Map(), allow: "", parameters };
    if (rest) at.rest = end;
    else at.end = end;
    end.methods.set(method, route);
    if (method === "GET") end.methods.set("HEAD", route);
    end.allow = [...end.methods.keys()].sort().join(", ");
  }

  private below(at: Segment<R>, segment: string): Segment<R> {
    if (parameter.test(segment)) {
      at.parameter ??= new Segment<R>();
      return at.parameter;
    }
    const next = at.literals.get(segment) ?? new Segment<R>();
    at.literals.set(segment, next);
    return next;
  }

  /**
   * @param path a path whose percent-encoding is sound
   * @returns null when there is no such route; a trailing slash makes another route
   */
  match(path: string): Match<R> | null {
    if (path.charCodeAt(0) !== 47) return null;
    const encoded = path.indexOf("%") !== -1;
    const values: string[] = [];
    let at: Segment<R> | null = this.root;
    let rest: PathMethods<R> | null = null;
    let below = 0;
    let start = 1;
    while (at !== null) {
      if (at.rest !== null) {
        rest = at.rest;
        below = start;
      }
      const slash = path.indexOf("/", start);
      const raw = path.slice(start, slash === -1 ? path.length : slash);
      const segment = encoded ? decodeURIComponent(raw) : raw;
      const literal: Segment<R> | undefined = at.literals.get(segment);
      if (literal !== undefined) at = literal;
      else {
        if (segment === "") break;
        at = at.parameter;
        if (at !== null) values.push(segment);
      }
      if (slash === -1) {
        if (at === null || at.end === null) break;
        return { path: at.end, values };
      }
      start = slash + 1;
    }
    return rest === null || below >= path.length ? null : { path: rest, values };
  }
}
