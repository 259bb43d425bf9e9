/**
 * Which pages may call the API from a browser (Fetch standard, CORS protocol). No part of the document: what is added here
 * says nothing to anybody but a browser, and changes no answer.
 */
import type { IncomingHttpHeaders } from "node:http";
import { readDocument } from "./document";
import { compileValidations } from "./validation";

/** How long a browser may remember what it was told (seconds). */
const max_age = "600";

export class Cors {
  /** Fields of the header for the pages of each origin. */
  private readonly fields = new Map<string, readonly string[]>();
  private readonly headers: string;

  /**
   * @param origins as browsers send them: `https://console.example.com`
   * @param names of the fields that requests may carry, and that pages may read
   */
  constructor(
    origins: readonly string[],
    names: { readonly sent: readonly string[]; readonly read: readonly string[] },
  ) {
    this.headers = names.sent.join(", ");
    const exposed = ["Access-Control-Expose-Headers", names.read.join(", "), "Vary", "Origin"];
    for (const origin of origins) this.fields.set(origin, ["Access-Control-Allow-Origin", origin, ...exposed]);
  }

  /** What every answer to this page carries; null: it comes from no page, or from one that may not. */
  of({ origin }: IncomingHttpHeaders): readonly string[] | null {
    return origin === undefined ? null : (this.fields.get(origin) ?? null);
  }

  /** The answer to a browser that asks first. */
  preflight(allow: string): string[] {
    return [
      "Access-Control-Allow-Methods",
      allow,
      "Access-Control-Allow-Headers",
      this.headers,
      "Access-Control-Max-Age",
      max_age,
    ];
  }
}

/** A browser that asks before it sends what the page wants. */
export const asksFirst = (headers: IncomingHttpHeaders): boolean =>
  headers["access-control-request-method"] !== undefined;

/** With every field of the header that the document knows. */
export async function buildCors(origins: readonly string[]): Promise<Cors> {
  const { paths, components } = readDocument();
  const sent = new Set(["Content-Type", ...Object.values(components.securitySchemes).map(({ name }) => name)]);
  for (const { headers } of (await compileValidations()).values()) for (const name of headers) sent.add(name);
  const read = new Set<string>();
  for (const { operationId, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
    // Beside its operations a path has parameters.
    if (operationId === undefined) continue;
    for (const { headers } of Object.values(responses)) for (const name of Object.keys(headers ?? {})) read.add(name);
  }
  return new Cors(origins, { sent: [...sent].sort(), read: [...read].sort() });
}
