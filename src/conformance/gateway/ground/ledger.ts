/** All commands that were taken in this run: each is owed one result. */
import { operations } from "../../../../generated/operations";
import type { Commands } from "./declared";
import type { Answer, KitRequest } from "./messages";

/** One `202`, and what it promises. */
export interface Promise202 {
  readonly operation: Commands;
  readonly app_id: string;
  /** Session uuid or room id. */
  readonly source: string;
  readonly operation_id: string;
  readonly timeout_ms: number;
  /** As it was sent; null: it was left to the gateway. */
  readonly command_uid: string | null;
  /** When the request was sent and its answer had come, epoch milliseconds. */
  readonly sent: number;
  readonly at: number;
  readonly answer: Answer;
}

export class Ledger {
  readonly #promises: Promise202[] = [];

  /** Sessions and rooms with the uids of commands that were refused and never taken. */
  readonly #refused = new Set<string>();
  readonly #taken = new Set<string>();

  get refused(): ReadonlySet<string> {
    return new Set([...this.#refused].filter((each) => !this.#taken.has(each)));
  }

  /** Repeats are left out: they promise nothing new. */
  get promises(): readonly Promise202[] {
    return this.#promises;
  }

  /** Apps that were deleted: of these not everything has to come. */
  readonly deleted = new Set<string>();

  note({ path, headers = {}, body }: KitRequest, answer: Answer): void {
    const { operation } = answer;
    if (operation === "deleteApp") this.deleted.add(path.split("/").at(-1) ?? "");
    if (!isCommand(operation)) return;
    const uid = typeof body === "object" && body !== null && "command_uid" in body ? String(body.command_uid) : null;
    const source = path.split("/")[4] ?? "";
    // After a time-out of the media server nobody knows.
    (answer.status < 500 && answer.status !== 202 ? this.#refused : this.#taken).add(`${source} ${uid}`);
    if (answer.status !== 202 || answer.headers["idempotent-replayed"] !== undefined) return;
    const at = Date.now();
    this.#promises.push({
      operation,
      app_id: String(headers["X-App-ID"]),
      source,
      operation_id: String(answer.body?.operation_id),
      timeout_ms: Number(answer.body?.timeout_ms),
      command_uid: uid,
      sent: at - answer.exchange.ms,
      at,
      answer,
    });
  }
}

export const commands = (Object.keys(operations) as (keyof typeof operations)[]).filter(isCommand);

export function isCommand(id: string): id is Commands {
  return id in operations && operations[id as keyof typeof operations].command !== null;
}
