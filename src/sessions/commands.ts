/** Has media servers take what was admitted, for calls and for rooms: in time, and with what became of it written down. */
import type { Body, CommandId, RoomCommandId } from "../contract";
import { type Engine, type OperationRef, type Outcome, Refused } from "../engines/engine";
import type { Log } from "../log";
import type { Meter } from "../metrics";
import type { Loaded, Room, Session, Subject } from "../store/store";
import type { Asking } from "./asking";
import type { CommandEvent, RoomEvent, SessionEvent } from "./happening";
import type { Applied } from "./lines";
import type { Nodes } from "./nodes";
import type { Writer } from "./writer";

/** A command of a call as it was admitted. */
export interface CommandCall<C extends CommandId> {
  readonly command: C;
  readonly body: Body<C>;
  readonly operation: OperationRef;
  readonly session: Loaded<Session>;
}

/** The same of a room. */
export interface RoomCommandCall<C extends RoomCommandId> {
  readonly command: C;
  readonly body: Body<C>;
  readonly operation: OperationRef;
  readonly room: Loaded<Room>;
}

/** What is asked of a media server, of whatever kind. */
export interface Asked {
  /** Of the session or room. */
  readonly id: string;
  /** As in `command.result`: `playback/start`. */
  readonly name: string;
  readonly operation: OperationRef;
  /** Its result follows at once, not when the media server confirms. */
  readonly immediate: boolean;
}

export class Commands {
  readonly #nodes: Nodes;
  readonly #here: (id: string) => boolean;
  readonly #asking: Asking;
  readonly #meter: Pick<Meter, "command">;
  readonly #log: Log;

  /** @param here is this call or room one of this instance? */
  constructor(nodes: Nodes, here: (id: string) => boolean, asking: Asking, meter: Pick<Meter, "command">, log: Log) {
    this.#nodes = nodes;
    this.#here = here;
    this.#asking = asking;
    this.#meter = meter;
    this.#log = log;
  }

  /**
   * @param ask has the engine take it
   * @throws Refused when it did not: the operation was taken back, or is left open when it was `late`; what the store threw
   * when that could not be written down, and is so later
   */
  async take<S extends Subject, E extends SessionEvent | RoomEvent>(
    writer: Writer<S, E>,
    asked: Asked,
    ask: (engine: Engine) => Promise<Outcome>,
  ): Promise<void> {
    const { id, name, operation, immediate } = asked;
    const { operation_id } = operation;
    let became: "accepted" | "refused" = "accepted";
    try {
      let outcome: Outcome;
      try {
        outcome = await this.#asking.inTime(operation_id, this.#ask(id, ask));
      } catch (error) {
        became = "refused";
        const late = error instanceof Refused && error.refusal === "late";
        // While that is not written down nobody is told of a refusal: should the call end first, it gets a result after all.
        const applied = await writer.run(id, { type: "command.refused", operation_id, late });
        // The call or room ended meanwhile, and the operation has had its command.result: that belongs to a 202.
        if (applied !== "unchanged" && applied !== "gone") throw error;
        became = "accepted";
        if (!(error instanceof Refused))
          this.#log.error({ id, command: name, operation_id, err: error }, "internal error");
        return;
      }
      // Its confirmation may have come first, and be committed.
      if (this.#asking.settled(operation_id)) return;
      const failure = outcome?.failure ?? null;
      await decide(writer, id, { type: "command.taken", operation_id, immediate, failure });
    } finally {
      this.#asking.end(operation_id);
      this.#meter.command(name, this.#nodes.kindOf(id), became);
    }
  }

  /** @throws Refused */
  async #ask(id: string, ask: (engine: Engine) => Promise<Outcome>): Promise<Outcome> {
    const engine = this.#nodes.engineOf(id);
    if (!engine) throw new Refused("unreachable");
    try {
      return await ask(engine);
    } catch (err) {
      // The store has it, and no media server has said that it is over: its node is just being taken over.
      if (err instanceof Refused && err.refusal === "gone" && !this.#here(id)) throw new Refused("unreachable");
      throw err;
    }
  }
}

/** What the media server has decided holds, whether the store can be told now or later: null when later. */
async function decide<S extends Subject, E extends SessionEvent | RoomEvent>(
  writer: Writer<S, E>,
  id: string,
  event: CommandEvent,
): Promise<Applied | null> {
  try {
    return await writer.run(id, event);
  } catch {
    // The line has logged it, and tries again.
    return null;
  }
}
