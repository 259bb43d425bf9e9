import { createHash } from "node:crypto";
import { prelude } from "./lua/prelude";

/** What a Redis needs to run a script: by its digest, and in full when it does not know that. */
export interface Compiled {
  readonly sha: string;
  readonly text: string;
}

export interface ScriptOptions {
  /** Pieces of the library that the body calls, in the order in which they need each other. */
  readonly use?: readonly string[];
  readonly body: string;
}

/**
 * A Lua script: the prelude, the pieces of the library that it needs, its body. What it returns is the answer.
 *
 * `KEYS[1]` is the key that `run` was given, and the prelude's `A`; all other keys are made in the script and have its hash
 * tag, which Redis Cluster checks because of the first line. `ARGV` is what `run` was given, from 1, always as text.
 */
export class Script {
  readonly #use: readonly string[];
  readonly #body: string;

  constructor(
    /** For error messages, and for who watches what Redis is asked: the script's first comment. */
    readonly name: string,
    { use = [], body }: ScriptOptions,
  ) {
    this.#use = use;
    this.#body = body;
  }

  /** @param clock a Lua expression: microseconds since the epoch */
  text(clock: string): string {
    return ["#!lua", `-- ${this.name}`, prelude(clock), ...this.#use, this.#body].join("\n");
  }

  compile(clock: string): Compiled {
    const text = this.text(clock);
    return { text, sha: createHash("sha1").update(text).digest("hex") };
  }
}
