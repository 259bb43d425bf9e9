/**
 * The parts of header values (RFC 3261 sections 20 and 25): lists, addresses, URIs, Via. Each reader goes over its text
 * once, so that no value can make it slow; what it cannot read is null.
 */
import { isIP } from "node:net";

const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
/** With the underscore, which names of containers have. */
const host = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** A token of section 25.1, of at most 256 characters. */
export function isToken(text: string): boolean {
  return text.length <= 256 && token.test(text);
}

/** Cuts at a separator that stands outside of quotes and angle brackets; parts are trimmed. Null: a quote or bracket is open at the end. */
export function split(text: string, separator: "," | ";"): string[] | null {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let bracketed = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "<") bracketed = true;
    else if (c === ">") bracketed = false;
    else if (c === separator && !bracketed) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (quoted || bracketed) return null;
  parts.push(text.slice(start).trim());
  return parts;
}

/** `name=value` parameters, names in lower case; a parameter without a value is "". Of two with one name the first counts. */
export type Params = ReadonlyMap<string, string>;

function readParams(parts: readonly string[]): Params {
  const params = new Map<string, string>();
  for (const part of parts) {
    const cut = part.indexOf("=");
    const name = (cut < 0 ? part : part.slice(0, cut)).trim().toLowerCase();
    const value = cut < 0 ? "" : part.slice(cut + 1).trim();
    if (name !== "" && !params.has(name)) params.set(name, value);
  }
  return params;
}

/** A header value with parameters, such as Content-Type: the value in lower case. */
export function readValue(text: string): { readonly value: string; readonly params: Params } | null {
  const parts = split(text, ";");
  return parts && { value: (parts[0] ?? "").toLowerCase(), params: readParams(parts.slice(1)) };
}

/** Host and optional port: `example.org:5060`, `[::1]`. */
function readHostPort(text: string): { readonly host: string; readonly port: number | null } | null {
  const end = text.startsWith("[") ? text.indexOf("]") + 1 : text.indexOf(":") < 0 ? text.length : text.indexOf(":");
  const name = text.slice(0, end).trim();
  const address = name.startsWith("[") ? name.slice(1, -1) : name;
  if (name.startsWith("[") ? isIP(address) !== 6 : name.length > 255 || !host.test(name)) return null;
  const rest = text.slice(end).trim();
  if (rest === "") return { host: address, port: null };
  const digits = rest.slice(1).trim();
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return rest.startsWith(":") && port > 0 && port < 65_536 ? { host: address, port } : null;
}

export interface Uri {
  /** In lower case. */
  readonly scheme: string;
  /** Percent-decoded, without password; of a tel URI the number. */
  readonly user: string;
  /** Empty in a URI that has none, such as tel. */
  readonly host: string;
  readonly port: number | null;
  readonly params: Params;
}

/** Percent-decoding that takes what is not a valid escape as it stands. `text` holds one byte per character. */
function unescaped(text: string): string {
  const bytes = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** sip, sips and tel URIs (RFC 3261 section 19.1, RFC 3966); of other schemes only the scheme. */
export function readUri(text: string): Uri | null {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!/^[a-z][a-z0-9+.-]{0,31}$/.test(scheme) || !/^[\x21-\x7e\x80-\xff]+$/.test(text) || /[<>"]/.test(text))
    return null;
  const rest = text.slice(colon + 1);
  const none: Params = new Map();
  if (scheme === "tel") {
    const [number = "", ...params] = rest.split(";");
    return { scheme, user: unescaped(number), host: "", port: null, params: readParams(params) };
  }
  if (scheme !== "sip" && scheme !== "sips") return { scheme, user: "", host: "", port: null, params: none };
  const at = rest.indexOf("@");
  const userinfo = rest.slice(0, Math.max(at, 0));
  // A semicolon in the user part belongs to it (section 19.1.1); what follows it are parameters of a number, not its digits.
  const [user = ""] = userinfo.split(/[:;]/, 1);
  const [address = ""] = rest.slice(at + 1).split("?", 1);
  const [hostPort = "", ...params] = address.split(";");
  const place = readHostPort(hostPort);
  return place && { scheme, user: unescaped(user), ...place, params: readParams(params) };
}

export interface NameAddr {
  /** The URI as it was written. */
  readonly text: string;
  readonly uri: Uri;
  /** Parameters of the header, such as `tag`. */
  readonly params: Params;
}

/** From, To, Contact, Route (section 20.10): with or without display name and brackets. */
export function readNameAddr(value: string): NameAddr | null {
  const parts = split(value, ";");
  if (!parts) return null;
  const [first = "", ...rest] = parts;
  let text = first;
  if (first.endsWith(">")) {
    const open = bracketOf(first);
    if (open < 0) return null;
    text = first.slice(open + 1, -1).trim();
  }
  const uri = readUri(text);
  return uri && { text, uri, params: readParams(rest) };
}

/** Where the angle bracket opens, after a display name that may hold one in quotes. */
function bracketOf(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted && c === "\\") i++;
    else if (c === '"') quoted = !quoted;
    else if (c === "<" && !quoted) return i;
  }
  return -1;
}

export interface Via {
  readonly host: string;
  readonly port: number | null;
  readonly params: Params;
  /** `SIP/2.0/UDP host:port` as it was written. */
  readonly head: string;
}

/** One value of Via (section 20.42); blanks around its slashes are allowed. */
export function readVia(value: string): Via | null {
  const parts = split(value, ";");
  if (!parts) return null;
  const [head = "", ...rest] = parts;
  const match = /^SIP[ \t]*\/[ \t]*2\.0[ \t]*\/[ \t]*[A-Za-z0-9-]{1,16}[ \t]+(\S.*)$/i.exec(head);
  const place = match && readHostPort(match[1] ?? "");
  if (!match || !place) return null;
  return { ...place, params: readParams(rest), head };
}

/** What an app is shown of a stranger's text: printable, at most 128 characters. */
export function printable(text: string): string {
  const clean = text.replace(/[\p{C}\p{Z}\ufffd]+/gu, " ").trim();
  return Array.from(clean.slice(0, 512)).slice(0, 128).join("");
}
