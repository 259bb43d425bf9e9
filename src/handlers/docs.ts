import type { components } from "../../generated/types";
import { matches } from "../portal/encoding";
import type { Served } from "../portal/portal";
import type { Gateway, TagHandlers } from "./gateway";

/** Values that the document fixes: another one does not compile. */
type Fixed = components["headers"];

const unsniffed: Fixed["ContentTypeOptions"] = "nosniff";
const referrer: Fixed["ReferrerPolicy"] = "no-referrer";
const varied: Fixed["VaryEncoding"] = "Accept-Encoding";
const revalidated: Fixed["PageCacheControl"] = "no-cache";
const kept: Fixed["AssetCacheControl"] = "public, max-age=31536000, immutable";
/** Pages run and load nothing but the files beside them, and are shown in no frame. */
const contentSecurityPolicy: Fixed["ContentSecurityPolicy"] =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What of a call is looked at. */
interface Asked {
  readonly headers?: { readonly "If-None-Match"?: string; readonly "Accept-Encoding"?: string };
  error(failure: "404 Page not found"): Error;
}

export function docs({ portal }: Gateway): TagHandlers<"docs"> {
  const find = (call: Asked, name: string): Served => {
    const found = portal.find(name, call.headers?.["Accept-Encoding"]);
    if (!found) throw call.error("404 Page not found");
    return found;
  };

  const page = (call: Asked, name: string) => {
    const { etag, encoding, bytes } = find(call, name);
    const headers = { "Cache-Control": revalidated, ETag: etag, Vary: varied };
    if (matches(call.headers?.["If-None-Match"], etag)) return { status: 304, headers } as const;
    const all = {
      ...headers,
      ...encoded(encoding),
      "X-Content-Type-Options": unsniffed,
      "Content-Security-Policy": contentSecurityPolicy,
      "Referrer-Policy": referrer,
    };
    return { status: 200, headers: all, body: bytes } as const;
  };

  return {
    getDocs: (call) => page(call, ""),
    getDocsPage: (call) => page(call, `/${call.params.page}`),
    getDocsSectionPage: (call) => page(call, `/${call.params.section}/${call.params.page}`),
    getDocsAsset(call) {
      const { type, encoding, bytes } = find(call, `/assets/${call.params.file_name}`);
      const headers = {
        "Content-Type": type,
        "Cache-Control": kept,
        Vary: varied,
        ...encoded(encoding),
        "X-Content-Type-Options": unsniffed,
      };
      return { status: 200, headers, body: bytes };
    },
  };
}

function encoded(encoding: Served["encoding"]): { "Content-Encoding"?: string } {
  return encoding === "identity" ? {} : { "Content-Encoding": encoding };
}
