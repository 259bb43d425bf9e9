/**
 * Collecting digits, for every engine alike: tries, prompts, timers and what the keys mean. Knows nothing of a media
 * server; whoever owns it plays the prompts and hands over each key that the caller presses.
 */
import { RE2JS } from "re2js";
import type { Body } from "../contract";
import type { CommandFailure, DigitsStatus } from "./engine";

/** A prompt that is being fetched or sounds. */
export interface Prompt {
  /** Ends it without a sound more; nothing is told of it afterwards. Harmless once it has ended. */
  stop(): void;
}

/** What a prompt tells, never from within `play` itself. */
export interface PromptListener {
  /** Its first file begins to sound. Told at most once. */
  started(): void;
  /** It sounded to its end (null), or nothing of it could be played. The last it tells. */
  ended(failure: CommandFailure | null): void;
}

/** Plays files one after the other; those that cannot be played are left out and told of by the player. */
export type PromptPlayer = (urls: readonly string[], listener: PromptListener) => Prompt;

export interface Collected {
  /** What was keyed in the last try, without the terminator. */
  readonly digits: string;
  /** The key that ended the last try, null when none did. */
  readonly terminator: string | null;
  readonly status: DigitsStatus;
}

/** One of `collected` and `failed` is told, once, unless the collection was ended from outside. */
export interface CollectionListener {
  /** The first prompt sounds. */
  started(): void;
  collected(result: Collected): void;
  /** No prompt could be played, or it was interrupted before: nothing is collected, and `started` was never told. */
  failed(error: CommandFailure): void;
}

/**
 * `opening`: the first prompt is on its way, keys are kept until it sounds · `prompt`: the prompt of a try, the first key
 * stops it · `keys`: waiting for a key, the timer runs · `invalid`: between two tries, keys count for the next one.
 */
type State =
  | { readonly at: "opening"; readonly prompt: Prompt; readonly kept: string[] }
  | { readonly at: "prompt" | "invalid"; readonly prompt: Prompt }
  | { readonly at: "keys"; readonly timer: NodeJS.Timeout }
  | { readonly at: "idle" | "over" };

/** One `play_and_get_digits`. Keys pressed before `start` are not its business. */
export class Collection {
  readonly #rules: Body<"playAndGetDigits">;
  readonly #regex: RE2JS | null;
  readonly #play: PromptPlayer;
  readonly #listener: CollectionListener;
  #state: State = { at: "idle" };
  #begun = false;
  #try = 1;
  #digits = "";

  /** @throws RE2JSException when `digits_regex` is no expression that RE2 takes */
  constructor(rules: Body<"playAndGetDigits">, play: PromptPlayer, listener: CollectionListener) {
    this.#rules = rules;
    this.#regex = rules.digits_regex === undefined ? null : RE2JS.compile(rules.digits_regex);
    this.#play = play;
    this.#listener = listener;
  }

  /** Has the first prompt begun to sound? */
  get begun(): boolean {
    return this.#begun;
  }

  /** Keyed in the try that runs, or in the last one while none runs. */
  get digits(): string {
    return this.#digits;
  }

  start(): void {
    const prompt = this.#play(this.#rules.prompt_files, {
      started: () => this.#begin(),
      ended: (failure) => this.#prompted(failure),
    });
    this.#state = { at: "opening", prompt, kept: [] };
  }

  /** The caller pressed a key: one of `0-9A-D*#`. */
  key(key: string): void {
    const state = this.#state;
    switch (state.at) {
      case "idle":
      case "over":
        return;
      case "opening":
        // One more than a try can hold: a terminator may follow the last digit.
        if (state.kept.length <= this.#rules.max_digits) state.kept.push(key);
        return;
      case "invalid":
        this.#next();
        break;
    }
    this.#leave();
    this.#take(key);
  }

  /** Ends it because something else takes its place: `unknown`, or `failed` when it had not begun. */
  interrupt(): void {
    const digits = this.end();
    if (this.#begun) this.#listener.collected({ digits, terminator: null, status: "unknown" });
    else this.#listener.failed("Stopped before it began");
  }

  /** Ends it without a word, for a call that is over. Answers the digits keyed so far. */
  end(): string {
    this.#leave();
    this.#state = { at: "over" };
    return this.#digits;
  }

  #begin(): void {
    if (this.#state.at !== "opening") return;
    const { prompt, kept } = this.#state;
    this.#state = { at: "prompt", prompt };
    this.#begun = true;
    this.#listener.started();
    for (const key of kept) this.key(key);
  }

  #prompted(failure: CommandFailure | null): void {
    if (this.#state.at === "opening" && failure !== null) {
      this.#state = { at: "over" };
      this.#listener.failed(failure);
      return;
    }
    // In a later try a prompt that fails leaves silence, and the caller his time all the same.
    this.#wait(this.#rules.timeout_ms);
  }

  #take(key: string): void {
    const { terminators, max_digits, timeout_ms, digit_timeout_ms } = this.#rules;
    if (terminators.includes(key)) {
      this.#decide(key);
      return;
    }
    this.#digits += key;
    if (this.#digits.length >= max_digits) this.#decide(null);
    else this.#wait(digit_timeout_ms ?? timeout_ms);
  }

  #wait(ms: number): void {
    this.#state = { at: "keys", timer: setTimeout(() => this.#decide(null), ms) };
  }

  /** The try is over: by its last digit, by `terminator`, or by time. */
  #decide(terminator: string | null): void {
    const digits = this.#digits;
    const { min_digits, max_tries } = this.#rules;
    // testExact asks for no captures, which is what keeps ordinary expressions on the fast automaton (0.02 ms). The worst
    // of those that the API lets in takes about 5 ms for 128 digits: their size is bounded there, and RE2 is linear.
    const valid = digits.length >= min_digits && (this.#regex === null || this.#regex.testExact(digits));
    if (!valid && this.#try < max_tries) {
      this.#again();
      return;
    }
    this.#state = { at: "over" };
    // A terminator is no digit: alone it says as little as silence does.
    const status = valid ? "success" : digits === "" ? "timeout" : "failure";
    this.#listener.collected({ digits, terminator, status });
  }

  #again(): void {
    const { invalid_files } = this.#rules;
    if (invalid_files === undefined || invalid_files.length === 0) {
      this.#prompt();
      return;
    }
    const prompt = this.#play(invalid_files, { started: () => undefined, ended: () => this.#prompt() });
    this.#state = { at: "invalid", prompt };
  }

  #prompt(): void {
    this.#next();
    const prompt = this.#play(this.#rules.prompt_files, {
      started: () => undefined,
      ended: (failure) => this.#prompted(failure),
    });
    this.#state = { at: "prompt", prompt };
  }

  #next(): void {
    this.#try += 1;
    this.#digits = "";
  }

  /** Timers and prompts belong to states: leaving one ends them. */
  #leave(): void {
    if ("prompt" in this.#state) this.#state.prompt.stop();
    if (this.#state.at === "keys") clearTimeout(this.#state.timer);
  }
}
