import type { Settlement, Taken, Turn, TurnResult } from "../store";
import type { Context } from "./context";
import { turn, waiting } from "./lua/turn";
import { eventOf } from "./records";

/** Lists of old secrets that are remembered read; the first goes first. */
const REMEMBERED = 1000;

const modes: Readonly<Record<string, Taken["mode"]>> = { n: "normal", d: "disabled", c: "closing" };

/** Where the events of one epoch go. */
interface Receiver {
  readonly webhook_url: string;
  readonly secrets: readonly string[];
}

interface OldSecret {
  readonly secret: string;
  readonly until: number;
}

/** What was not delivered yet: see `lua/sources.ts`. Each turn is one call of a script. */
export class Outbox {
  readonly #context: Context;
  readonly #old = new Map<string, readonly OldSecret[]>();

  constructor(context: Context) {
    this.#context = context;
  }

  async turn({ app_id, settled, want, limit, lease_ms }: Turn): Promise<TurnResult> {
    const { connection, keys } = this.#context;
    const answer = await connection.run(turn, keys.app(app_id), want, limit, lease_ms, lines(settled));
    if (!Array.isArray(answer)) throw new TypeError("a turn is answered by a list");
    const [now = "", stale, closing, next, epochs] = String(answer[0]).split("\t");
    const receivers: Receiver[] = [];
    let place = 1;
    for (; receivers.length < Number(epochs); place += 3) {
      const secrets = this.#secrets(String(answer[place + 1]), String(answer[place + 2]), Number(now));
      receivers.push({ webhook_url: String(answer[place]), secrets });
    }
    const taken: Taken[] = [];
    for (; place < answer.length; place += 1) taken.push(takenOf(app_id, String(answer[place]), receivers));
    return {
      taken,
      stale: Number(stale),
      // Nothing is given up for want of room: what is too much goes to the dead letters.
      dropped: 0,
      closing: closing === "1",
      next_due_ms: next === "" ? null : Number(next),
    };
  }

  /** Ids of apps with something to deliver now or later, deleted ones as well as long as their time lasts. */
  async appsWithEvents(): Promise<readonly string[]> {
    const { connection, keys, active } = this.#context;
    const ids = await active.all();
    const answers = await connection.runBatch(ids.map((id) => ({ script: waiting, key: keys.app(id), args: [] })));
    return ids.filter((_, i) => answers[i] === 1);
  }

  /** Newest first; of the old ones those that still sign. */
  #secrets(sealed: string, old: string, now: number): readonly string[] {
    const { secrets } = this.#context;
    const present = secrets.open(sealed);
    if (old === "") return [present];
    const signing = this.#read(old).filter(({ until }) => until > now);
    return [present, ...signing.map(({ secret }) => secrets.open(secret))];
  }

  #read(old: string): readonly OldSecret[] {
    const known = this.#old.get(old);
    if (known !== undefined) return known;
    const read: readonly OldSecret[] = JSON.parse(old);
    this.#old.set(old, read);
    for (const first of this.#old.keys()) {
      if (this.#old.size > REMEMBERED) this.#old.delete(first);
      else break;
    }
    return read;
  }
}

function lines(settled: readonly Settlement[]): string {
  let text = "";
  for (const { token, sequence, verdict, queue } of settled) {
    text += `${token}\t${sequence}\t${letterOf(verdict)}\t${queue}\n`;
  }
  return text;
}

function letterOf(verdict: Settlement["verdict"]): string {
  if (typeof verdict === "object") return String(Math.ceil(verdict.retry_in_ms));
  return verdict === "delivered" ? "d" : verdict === "dead" ? "x" : "o";
}

function takenOf(app_id: string, text: string, receivers: readonly Receiver[]): Taken {
  const head = text.indexOf("\n");
  const [queue = "", token, attempts, mode = "", epoch, since = "", told_by = ""] = text.slice(0, head).split("\t");
  const source = told_by === "" ? queue : told_by;
  const event = eventOf(text, source, head + 1);
  const receiver = receivers[Number(epoch)];
  if (receiver === undefined) throw new RangeError("an event of an epoch that was not told");
  return {
    app_id,
    queue,
    source,
    event,
    token: Number(token),
    attempts: Number(attempts),
    since: since === "" ? event.created_at : Number(since),
    webhook_url: receiver.webhook_url,
    secrets: receiver.secrets,
    mode: modes[mode] ?? "normal",
  };
}
