/** What commands were answered, held against the results that came. */
import type { Admission } from "../../src/store/store";
import type { Stories } from "./model";

/** What was answered; `open`: nothing yet. */
export type Answer = "open" | "taken" | "late" | "refused" | "failed";

/** A command that was admitted. */
export interface Entry {
  readonly operation_id: string;
  readonly command_uid: string;
  /** As in `command.result`. */
  readonly command: string;
  /** Of the call or room. */
  readonly id: string;
  answer: Answer;
}

type Replay = Pick<Extract<Admission, { readonly outcome: "replay" }>, "operation_id" | "status">;

export class Ledger {
  readonly entries = new Map<string, Entry>();
  /** How often each answer of the admission came. */
  readonly admissions = new Map<string, number>();
  #replays: (() => void)[] = [];

  begin(of: Omit<Entry, "answer">): Entry {
    const entry: Entry = { ...of, answer: "open" };
    this.entries.set(of.operation_id, entry);
    return entry;
  }

  count(admission: Admission): void {
    const word = admission.outcome === "refused" ? admission.error : admission.outcome;
    this.admissions.set(word, (this.admissions.get(word) ?? 0) + 1);
  }

  /** The same command once more: it has to be answered as it was the first time. */
  replayed(of: Omit<Entry, "answer" | "operation_id">, { operation_id, status }: Replay): void {
    const expected = status === 202 ? "taken" : "late";
    // The first one may not have been answered yet: its result overtook its answer.
    this.#replays.push(() => {
      const entry = this.entries.get(operation_id);
      const same = entry?.id === of.id && entry.command === of.command && entry.command_uid === of.command_uid;
      if (!entry || !same) throw new Error(`replay of ${operation_id}: ${JSON.stringify(entry)}`);
      if (entry.answer !== expected)
        throw new Error(`replayed as ${status}, answered as ${entry.answer}: ${operation_id}`);
    });
  }

  /** What came so far was asked for. */
  check({ results }: Stories): void {
    for (const [operation_id, { command, command_uid }] of results) {
      const entry = this.entries.get(operation_id);
      if (entry?.command !== command || entry.command_uid !== command_uid)
        throw new Error(`result of ${command} ${command_uid}: ${JSON.stringify(entry)}`);
      if (entry.answer === "refused" || entry.answer === "late")
        throw new Error(`result of what was ${entry.answer}: ${command}`);
    }
  }

  /** Nothing is under way any more: each command that was taken has its one result. */
  settled(stories: Stories): void {
    this.check(stories);
    for (const replay of this.#replays) replay();
    const done = new Set<string>();
    for (const { operation_id, command, command_uid, id, answer } of this.entries.values()) {
      // One that was refused leaves its uid free.
      if (answer !== "refused" && done.has(`${id} ${command_uid}`))
        throw new Error(`done twice: ${command} ${command_uid}`);
      if (answer !== "refused") done.add(`${id} ${command_uid}`);
      if (answer === "open") throw new Error(`no answer: ${command} ${operation_id}`);
      if (answer === "taken" && !stories.results.has(operation_id))
        throw new Error(`no result: ${command} ${operation_id}`);
    }
  }
}
