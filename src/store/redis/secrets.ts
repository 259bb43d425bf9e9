import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
/** As NIST SP 800-38D, section 5.2.1.1 recommends: bytes of the nonce, and of the tag. */
const NONCE = 12;
const TAG = 16;
/** Secrets are opened for each delivery: remembered ones; the first goes first. */
const REMEMBERED = 2000;

/** Thrown when a secret was sealed under another key, or damaged. */
export class SealError extends Error {
  constructor() {
    super("a signing secret in Redis cannot be opened: it was sealed under another SECRETS_KEY");
    this.name = "SealError";
  }
}

/** Signing secrets as they lie in Redis: AES-256-GCM under a key of the deployment, as nonce, tag and text in base64url. */
export class Secrets {
  readonly #sealing: Buffer;
  readonly #naming: Buffer;
  readonly #opened = new Map<string, string>();

  /** @param key of the deployment, of whatever length; those of each use are derived from it (HKDF, RFC 5869) */
  constructor(key: Buffer) {
    this.#sealing = derived(key, "voicegate sealing of signing secrets");
    this.#naming = derived(key, "voicegate names of signing secrets");
  }

  seal(secret: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#sealing, nonce);
    const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url");
  }

  /** @throws SealError */
  open(sealed: string): string {
    const known = this.#opened.get(sealed);
    if (known !== undefined) return known;
    const secret = opened(this.#sealing, Buffer.from(sealed, "base64url"));
    this.#opened.set(sealed, secret);
    for (const first of this.#opened.keys()) {
      if (this.#opened.size > REMEMBERED) this.#opened.delete(first);
      else break;
    }
    return secret;
  }

  /** Tells whether a secret is the same as another one, and nothing else of it: each sealing of it looks different. */
  name(secret: string): string {
    return createHmac("sha256", this.#naming).update(secret).digest("base64url");
  }
}

function derived(key: Buffer, use: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), use, 32));
}

function opened(key: Buffer, sealed: Buffer): string {
  if (sealed.length < NONCE + TAG) throw new SealError();
  const cipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE), { authTagLength: TAG });
  cipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(NONCE + TAG)), cipher.final()]).toString("utf8");
  } catch {
    throw new SealError();
  }
}
