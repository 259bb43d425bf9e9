import type { DeadLetter, DeadLetterPage } from "../store";
import type { Context } from "./context";
import { count, page, replay } from "./lua/replay";
import { eventOf } from "./records";

/** Bytes of a page of events, but for its first one. */
export const PAGE_BYTES = 1_048_576;

/** What could not be delivered to an app, in the order in which it was given up. */
export class Letters {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async page(app_id: string, limit: number, before: number | null): Promise<DeadLetterPage> {
    const { connection, keys } = this.#context;
    const answer = await connection.run(page, keys.app(app_id), limit, before ?? "", PAGE_BYTES);
    if (!Array.isArray(answer)) throw new TypeError("a page is answered by a list");
    const [next, ...letters] = answer.map(String);
    return { letters: letters.map(letterOf), next: next === undefined || next === "" ? null : Number(next) };
  }

  /** Null when one of the ids is not among them. */
  async replay(app_id: string, webhook_ids: readonly string[] | null, nonce: string): Promise<number | null> {
    const { connection, keys, active } = this.#context;
    // Before: what waits in an app that nobody looks at would be delivered only once something else happens there.
    await active.mark(app_id);
    const which = webhook_ids === null ? ["all"] : ["some", ...webhook_ids];
    const answer = Number(await connection.run(replay, keys.app(app_id), nonce, ...which));
    return answer < 0 ? null : answer;
  }

  /** Of these apps. */
  async count(app_ids: readonly string[]): Promise<number> {
    const { connection, keys } = this.#context;
    const answers = await connection.runBatch(app_ids.map((id) => ({ script: count, key: keys.app(id), args: [] })));
    return answers.reduce<number>((sum, answer) => sum + Number(answer), 0);
  }
}

/** As `lua/letters.ts` keeps it. */
function letterOf(text: string): DeadLetter {
  const head = text.indexOf("\n");
  const [died_at, attempts, source = ""] = text.slice(0, head).split("\t");
  return { event: eventOf(text, source, head + 1), source, died_at: Number(died_at), attempts: Number(attempts) };
}
