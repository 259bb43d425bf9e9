/**
 * Names to addresses, as the system resolves them. The system does at most two look-ups at a time, for all tenants
 * together: so one name is asked for once at a time, and an answer is remembered for some seconds.
 */
import { type LookupAddress, lookup } from "node:dns";

const rememberMs = 10_000;
const rememberAtMost = 1000;
const askAtMost = 1000;

/** Look-ups wait for others that do not end: what the system would say of a resolver that does not answer. */
class TooManyNames extends Error {
  readonly code = "EAI_AGAIN";
}

interface Known {
  readonly addresses: readonly LookupAddress[];
  readonly until: number;
}

export class Names {
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<readonly LookupAddress[]>>();

  /** All addresses of a name, in the system's order. Rejects with the error of getaddrinfo. */
  resolve(name: string): Promise<readonly LookupAddress[]> {
    const known = this.#known.get(name);
    if (known && known.until > Date.now()) return Promise.resolve(known.addresses);
    const asked = this.#asked.get(name);
    if (asked) return asked;
    if (this.#asked.size >= askAtMost) return Promise.reject(new TooManyNames());
    const answer = new Promise<readonly LookupAddress[]>((resolve, reject) => {
      lookup(name, { all: true }, (error, addresses) => {
        this.#asked.delete(name);
        if (error) return reject(error);
        this.#remember(name, addresses);
        resolve(addresses);
      });
    });
    this.#asked.set(name, answer);
    return answer;
  }

  #remember(name: string, addresses: readonly LookupAddress[]): void {
    this.#known.delete(name);
    this.#known.set(name, { addresses, until: Date.now() + rememberMs });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= rememberAtMost) return;
      this.#known.delete(oldest);
    }
  }
}
