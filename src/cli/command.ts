/** The shape of a command of the program: help, completions and the reading of its arguments come from the same table. */

/** An option of a command, as `--name value` or, when it is a switch, `--name`. */
export interface Option {
  /** A boolean is a switch and takes no value. */
  readonly type: "string" | "boolean";
  /** One letter: `-j`. */
  readonly short?: string;
  /** May be given more than once: its value is a list then, in the order given. */
  readonly multiple?: boolean;
  /** The value when neither the option nor its variable is given. */
  readonly default?: string;
  /** The environment variable that stands for the option where it is not given. An empty one counts as unset. */
  readonly env?: string;
  /** What the help calls its value: `url`, `number`. */
  readonly value?: string;
  /** One line for the help. */
  readonly about: string;
  /** The only values that it takes; anything else is wrong use. */
  readonly choices?: readonly string[];
  /** Its value is the path of a file: a shell completes those. */
  readonly file?: boolean;
}

/** A word without a dash, by its place. */
export interface Positional {
  readonly name: string;
  readonly about: string;
  /** May be left out. Only the last ones may. */
  readonly optional?: boolean;
  /** Takes all words that are left. Only the last one may. */
  readonly multiple?: boolean;
  /** What a shell completes; other values are taken, too. */
  readonly suggestions?: readonly string[];
}

/** Where a command speaks. What is asked for goes to standard output, everything else to standard error. */
export interface Output {
  /** One line of what was asked for, without its end; with `json` one JSON document. */
  print(line: string): void;
  /** One line of what went wrong, without its end. */
  error(line: string): void;
  /** One line for who watches, on standard error. Nothing with `json`. */
  progress(line: string): void;
  /** A program reads it: one JSON document, or for a stream one on each line. */
  readonly json: boolean;
  /** Standard output is a terminal, and nobody asked for no colours. */
  readonly colours: boolean;
}

/** What a command was given. Names are the command's own: others were refused before. */
export interface Given {
  /** By name: of `multiple` a list, of a switch a boolean; one that has no value is not there. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  readonly output: Output;
  /** Aborted by Ctrl-C and SIGTERM: the command ends in order, with the exit code of what it had reached. */
  readonly signal: AbortSignal;
}

/** One command of the program: what it takes, and what it does. */
export interface Command {
  /** With its blanks: "events tail". */
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** "voicegate events tail <session> [options]" */
  readonly usage: string;
  /** `--json` and `--help` are every command's and not listed. */
  readonly options: Readonly<Record<string, Option>>;
  readonly positionals: readonly Positional[];
  /** A line to paste, shown by --help. */
  readonly example: string;
  /** Further paragraphs of the help. */
  readonly about?: () => string;
  /**
   * @returns the exit code: 0 done; 1 it failed, or what was checked is not so; 2 wrong use
   * @throws WrongUse when what was given cannot be meant; other errors are told with their message, and exit with 1
   */
  run(given: Given): Promise<number>;
}

/** The arguments are wrong: the program says this, and where its help is, and exits with 2. */
export class WrongUse extends Error {}

/** The value of a string option; undefined when it has none. */
export function text(given: Given, name: string): string | undefined {
  const value = given.options[name];
  return typeof value === "string" ? value : undefined;
}

/** All values of an option that may be given more than once. */
export function texts(given: Given, name: string): readonly string[] {
  const value = given.options[name];
  return typeof value === "object" ? value : typeof value === "string" ? [value] : [];
}

/** A switch. */
export function is(given: Given, name: string): boolean {
  return given.options[name] === true;
}

/**
 * A whole number of an option.
 * @throws WrongUse when it is none, or out of its range
 */
export function whole(given: Given, name: string, least: number, most: number): number | undefined {
  const value = text(given, name);
  if (value === undefined) return undefined;
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most))
    throw new WrongUse(`--${name} must be a whole number from ${least} to ${most}`);
  return number;
}
