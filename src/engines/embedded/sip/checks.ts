/** What a request is refused for before anybody looks at what it is about (RFC 3261 section 8.2). */
import { readUri, readValue } from "./grammar";
import type { Refusal, SipRequest } from "./message";
import { allow } from "./negotiation";
import type { Answer } from "./response";
import { type MediaOffer, readSdp } from "./sdp";

const served = ["INVITE", "ACK", "CANCEL", "BYE", "INFO", "OPTIONS"];
/** Methods that are known and not served: 405, any other is a 501 (sections 8.2.1 and 21.5.2). */
const known = ["REGISTER", "PRACK", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH"];

/** Method, Request-URI and required extensions, in the order of section 8.2; null: all is well. */
export function refusalOf(request: SipRequest): Answer | null {
  const { method, headers } = request;
  if (!served.includes(method)) return { status: known.includes(method) ? 405 : 501, fields: [allow] };
  const uri = readUri(request.uri);
  if (!uri) return bad("Malformed Request-URI");
  if (uri.scheme !== "sip" && uri.scheme !== "tel") return { status: 416 };
  if (method === "CANCEL") return null;
  const required = headers.list("require");
  if (!required) return bad("Malformed Require");
  // No extension is supported: a caller that insists on one (100rel, timer, …) has to do without.
  if (required.length > 0) return { status: 420, fields: [["Unsupported", required.join(", ")]] };
  return null;
}

export function bad(reason: string): Refusal {
  return { status: 400, reason };
}

/** The offer in an INVITE, null when it has none; or why it cannot be taken (section 8.2.3). */
export function readOffer(request: SipRequest, family: 4 | 6): { offer: MediaOffer | null } | { refusal: Answer } {
  const { headers, body } = request;
  if (body.length === 0) return { offer: null };
  const type = headers.get("content-type");
  if (type === undefined) return { refusal: bad("Missing Content-Type") };
  const disposition = readValue(headers.get("content-disposition") ?? "");
  const encoding = (headers.get("content-encoding") ?? "identity").toLowerCase();
  if (readValue(type)?.value !== "application/sdp" || encoding !== "identity") {
    if (disposition?.params.get("handling")?.toLowerCase() === "optional") return { offer: null };
    return { refusal: { status: 415, fields: [accept, ["Accept-Encoding", "identity"]] } };
  }
  const offer = readSdp(body, family);
  if (offer) return { offer };
  return { refusal: { status: 488, fields: [["Warning", '304 voicegate "PCMU or PCMA over RTP/AVP"']] } };
}

export const accept = ["Accept", "application/sdp, application/dtmf-relay, application/dtmf"] as const;
