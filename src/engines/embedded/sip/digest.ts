/** Digest authentication of callers (RFC 3261 section 22, RFC 7616, RFC 8760): MD5 and SHA-256, qop auth. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { split } from "./grammar";
import type { SipRequest } from "./message";
import type { Field } from "./response";

const realm = "voicegate";
/** Nonces whose count is remembered, so that nothing heard on the wire can be said again. */
const maxNonces = 10_000;
const hashes = { "SHA-256": "sha256", MD5: "md5" } as const;
export type DigestAlgorithm = keyof typeof hashes;

/** `stale`: the credentials are right, the nonce is not: the caller tries again without asking for a password. */
export type Credentials = "valid" | "missing" | "wrong" | "stale";

export class Digest {
  readonly #secret = randomBytes(32);
  /** nonce → the highest count seen. */
  readonly #counts = new Map<string, number>();

  /**
   * `algorithms` are asked for in this order, one header each (RFC 8760 section 2.4). Clients in use give up at one that
   * they do not know, and not only at the first: sipp 3.6 where SHA-256 comes first, baresip 1.0 wherever it stands.
   */
  constructor(
    private readonly users: ReadonlyMap<string, string>,
    private readonly algorithms: readonly DigestAlgorithm[],
    /** How long a nonce is good, in ms. */
    private readonly lifetime: number,
  ) {}

  /** A nonce proves its own age and is good for one address only: nothing is kept for those who only ask. */
  #nonce(address: string, time: string): string {
    return `${time}.${createHmac("sha256", this.#secret).update(`${time} ${address}`).digest("base64url")}`;
  }

  challenge(address: string, stale: boolean): Field[] {
    const nonce = this.#nonce(address, `${Date.now().toString(36)}-${randomBytes(6).toString("base64url")}`);
    return this.algorithms.map(
      (algorithm): Field => [
        "WWW-Authenticate",
        `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ", stale=true" : ""}`,
      ],
    );
  }

  check(request: SipRequest, address: string): Credentials {
    const given = request.headers
      .all("authorization")
      .map(readCredentials)
      .find((fields) => fields?.get("realm") === realm);
    if (!given) return "missing";
    const field = (name: string) => given.get(name) ?? "";
    // Without a name it is MD5 (RFC 7616 section 3.3).
    const name = field("algorithm").toUpperCase() || "MD5";
    const algorithm = this.algorithms.find((each) => each === name);
    // The URI may be written otherwise than in the start line, by a proxy's hand; it is what the caller signed that is checked.
    if (!algorithm || !/^[0-9a-f]{32,64}$/i.test(field("response"))) return "wrong";
    const password = this.users.get(Buffer.from(field("username"), "latin1").toString("utf8"));
    const qop = field("qop") === "auth" ? [field("nc"), field("cnonce"), "auth"] : [];
    if (qop.length === 0 && field("qop") !== "") return "wrong";
    const who = [field("username"), realm, Buffer.from(password ?? "", "utf8").toString("latin1")];
    const what = [request.method, field("uri")];
    const expected = Buffer.from(digestResponse(algorithm, who, [field("nonce"), ...qop], what));
    const response = Buffer.from(field("response").toLowerCase());
    const right = response.length === expected.length && timingSafeEqual(response, expected);
    // Looked at last, so that an unknown name takes as long as a wrong password.
    if (!right || password === undefined) return "wrong";
    return this.#fresh(field("nonce"), qop[0] ?? "1", address) ? "valid" : "stale";
  }

  /** Our own nonce, young enough, and a count that is higher than before (RFC 7616 section 3.4). */
  #fresh(nonce: string, nc: string, address: string): boolean {
    const [time = ""] = nonce.split(".", 1);
    const [made = ""] = time.split("-", 1);
    const age = Date.now() - Number.parseInt(made, 36);
    const count = Number.parseInt(nc, 16);
    if (nonce !== this.#nonce(address, time) || !(age <= this.lifetime)) return false;
    if (!(count > (this.#counts.get(nonce) ?? 0))) return false;
    this.#counts.delete(nonce);
    this.#counts.set(nonce, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= maxNonces) break;
      this.#counts.delete(oldest);
    }
    return true;
  }
}

/**
 * The response of RFC 7616 section 3.4.1, in hex.
 * @param who name, realm and password
 * @param nonce the nonce, and with qop nc, cnonce and qop
 * @param what method and URI
 */
export function digestResponse(
  algorithm: DigestAlgorithm,
  who: readonly string[],
  nonce: readonly string[],
  what: readonly string[],
): string {
  const digest = (parts: readonly string[]) =>
    createHash(hashes[algorithm]).update(parts.join(":"), "latin1").digest("hex");
  return digest([digest(who), ...nonce, digest(what)]);
}

/** `Digest name="value", name=value, …`, of a challenge or of credentials; null for another scheme and for an open quote. */
export function readCredentials(text: string): ReadonlyMap<string, string> | null {
  const [, rest] = /^Digest[ \t]+(.*)$/i.exec(text) ?? [];
  const parts = rest === undefined ? null : split(rest, ",");
  if (!parts) return null;
  const fields = new Map<string, string>();
  for (const part of parts) {
    const cut = part.indexOf("=");
    const value = part.slice(cut + 1).trim();
    const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    fields.set(
      part.slice(0, Math.max(cut, 0)).trim().toLowerCase(),
      quoted ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value,
    );
  }
  return fields;
}
