/** What follows from an event, of calls and of rooms, and what becomes of their commands. */
import { commandFailures } from "../../generated/operations";
import type { EventData, EventName } from "../contract";
import type { CommandFailure } from "../engines/engine";
import type { Commit, Operation, Subject } from "../store/store";
import type { CommandEvent } from "./happening";

/** An event before it has a number. */
export type Publication = { readonly [E in EventName]: { readonly event: E; readonly data: EventData<E> } }[EventName];

/** The next state, while it is being made. */
export type Draft<S extends Subject> = { -readonly [F in keyof S]: S[F] };

/** A recording whose file is closed. */
export interface Finish {
  readonly recording_id: string;
  /** Why it was cut short. */
  readonly failure: string | null;
}

export interface Advance<S extends Subject> {
  /** A copy; the number of its last event is still that of before. */
  readonly state: Draft<S>;
  readonly publish: readonly Publication[];
  readonly decided: Commit["decided"];
  /** Commands that the engine must undo. */
  readonly cancel: readonly string[];
  /** Recordings of a call to be made whole. */
  readonly finish: readonly Finish[];
}

interface Pending {
  operations: readonly Operation[];
}

/** What follows, while it is put together. */
export class Next<D extends Pending> {
  readonly state: D;
  readonly publish: Publication[] = [];
  readonly decided: Commit["decided"][number][] = [];
  readonly cancel: string[] = [];
  readonly finish: Finish[] = [];
  readonly #pending: Pending;

  /** @param state a copy, which this may change */
  constructor(state: D) {
    this.state = state;
    this.#pending = state;
  }

  pending(operation_id: string): Operation | undefined {
    return this.#pending.operations.find((operation) => operation.operation_id === operation_id);
  }

  tell(publication: Publication): this {
    this.publish.push(publication);
    return this;
  }

  undo(operation_id: string): this {
    this.cancel.push(operation_id);
    return this;
  }

  /** Has a pending operation its `command.result`. */
  settle(operation: Operation, failure: CommandFailure | null): this {
    return this.#take(operation, 202).tell(result(operation, failure));
  }

  /** All at once: to look for each among all takes seconds when somebody has left thousands pending. */
  settleAll(failure: (operation: Operation) => CommandFailure | null): this {
    const { operations } = this.#pending;
    this.#pending.operations = [];
    for (const operation of operations) {
      this.decided.push({ operation, status: 202 });
      this.tell(result(operation, failure(operation)));
    }
    return this;
  }

  /** Null: the operation was settled before. */
  command(event: CommandEvent): this | null {
    const operation = this.pending(event.operation_id);
    if (!operation) return null;
    switch (event.type) {
      case "command.taken":
        return event.immediate ? this.settle(operation, event.failure) : this.#taken(operation);
      case "command.refused":
        this.#take(operation, event.late ? 504 : "free");
        return event.late ? this.undo(event.operation_id) : this;
      case "command.overdue":
        if (!operation.taken && !event.abandoned) return null;
        return this.settle(operation, "Media server timed out").undo(event.operation_id);
    }
  }

  /** From now on its confirmation is awaited. */
  #taken(operation: Operation): this {
    const taken = { ...operation, taken: true };
    this.#pending.operations = this.#pending.operations.map((other) => (other === operation ? taken : other));
    this.decided.push({ operation, status: 202 });
    return this;
  }

  #take(operation: Operation, status: 202 | 504 | "free"): this {
    this.#pending.operations = this.#pending.operations.filter((other) => other !== operation);
    this.decided.push({ operation, status });
    return this;
  }
}

function result(operation: Operation, failure: CommandFailure | null): Publication {
  const { command, command_uid, operation_id } = operation;
  const named = { command, command_uid, operation_id };
  if (failure === null) return { event: "command.result", data: { ...named, success: true } };
  const code = commandFailures[failure];
  // The table pairs each text with its code; a union of pairs is more than the compiler follows through a look-up.
  const data = { ...named, success: false, error: failure, code } as EventData<"command.result">;
  return { event: "command.result", data };
}
