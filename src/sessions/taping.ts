/** A recording has its file before the media server is asked for it, and none when the media server does not take it. */
import type { Body, CommandId } from "../contract";
import { type EngineCommands, type OperationRef, type Outcome, Refused } from "../engines/engine";
import type { Recordings } from "../recordings/recordings";
import type { Asking } from "./asking";

/** Resolves once the media server has taken the command; rejects with `Refused`. */
type Take<C extends CommandId> = (
  session_uuid: string,
  body: Body<C>,
  operation: OperationRef,
  app_id: string,
) => Promise<Outcome>;
type Commands = { readonly [C in CommandId]: Take<C> | "unsupported" };

export class Taping {
  readonly #recordings: Pick<Recordings, "begin" | "discard">;
  readonly #asking: Asking;
  /** By those of the engine: they are the same at each command. */
  readonly #known = new WeakMap<EngineCommands, Commands>();

  constructor(recordings: Pick<Recordings, "begin" | "discard">, asking: Asking) {
    this.#recordings = recordings;
    this.#asking = asking;
  }

  /** Those of an engine, by what a caller sends alone. */
  of(commands: EngineCommands): Commands {
    const known = this.#known.get(commands);
    if (known) return known;
    const taped = this.#taped(commands);
    this.#known.set(commands, taped);
    return taped;
  }

  #taped(commands: EngineCommands): Commands {
    const { startRecording: take } = commands;
    if (take === "unsupported") return { ...commands, startRecording: take };
    return {
      ...commands,
      startRecording: async (session_uuid, body, operation, app_id) => {
        const { operation_id, command_uid } = operation;
        const file = await this.#recordings.begin({ app_id, session_uuid, command_uid });
        const { recording_id } = file;
        let taken = false;
        try {
          // The disk was so slow that it was given up, and undone before it was there to be undone.
          if (!this.#asking.has(operation_id)) throw new Refused("late");
          const outcome = await take(session_uuid, { ...body, file }, operation);
          taken = outcome === undefined;
          return outcome;
        } finally {
          // By what the engine says, however late, and not by what was answered: that is 202 when the call has ended
          // meanwhile, and 504 for one that may still have begun.
          if (!taken) await this.#recordings.discard({ app_id, recording_id });
        }
      },
    };
  }
}
