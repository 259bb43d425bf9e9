#!/usr/bin/env node
/** The command line: reads the words, and runs one command of the table. */
import { packageVersion } from "../config";
import { findCommand, readArguments } from "./arguments";
import { type Command, type Output, WrongUse } from "./command";
import { helpOf, overview } from "./help";
import { nearest } from "./nearest";
import { createOutput, wantsColours } from "./output";
import { commands } from "./table";

/** npm passes on a signal that the terminal has sent to the whole group: the same one twice within this is one. */
const sameSignalMs = 1000;

/** Ctrl-C and SIGTERM end it in order; asked again, at once. */
function stopOnSignal(): AbortController {
  const stopping = new AbortController();
  let asked: number | null = null;
  const stop = () => {
    if (asked !== null && performance.now() - asked > sameSignalMs) process.exit(1);
    asked ??= performance.now();
    stopping.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return stopping;
}

/** Whoever reads has gone, as `head` does: no error, and nobody to tell it to. */
function endWithReader(stream: NodeJS.WriteStream, stopping: AbortController): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    stopping.abort();
  });
}

/** What stands where a command should: an option of the program, half of a name, or a word that is none. @returns the exit code */
function noCommand(words: readonly string[], output: Output): number {
  const [first, ...rest] = words;
  const groups = new Set(commands.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0] ?? ""] : [])));
  if (first === "--version" || first === "-v") output.print(packageVersion());
  else if (first === "--help" || first === "-h" || (first === "help" && rest.length === 0))
    output.print(overview(commands));
  else if (first === "help") return helpFor(rest, output);
  else if (first !== undefined && groups.has(first)) {
    const [second = ""] = rest;
    const asked = second === "--help" || second === "-h";
    const names = commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []));
    const near = asked || second.startsWith("-") ? null : nearest(second, names);
    if (!asked && second !== "" && !second.startsWith("-"))
      output.error(
        `there is no command "${first} ${second}"${near === null ? "" : `: did you mean "${first} ${near}"?`}`,
      );
    if (asked) output.print(overview(commands, first));
    else output.error(overview(commands, first));
    return asked ? 0 : 2;
  } else {
    if (first !== undefined) {
      const near = nearest(first, [...commands.map(({ name }) => name), ...groups]);
      const what = first.startsWith("-") ? "option" : "command";
      output.error(`there is no ${what} "${first}"${near === null ? "" : `: did you mean "${near}"?`}`);
    }
    output.error(overview(commands));
    return 2;
  }
  return 0;
}

function helpFor(words: readonly string[], output: Output): number {
  const found = findCommand(commands, words);
  if (!found) return noCommand([...words, "--help"], output);
  output.print(helpOf(found.command));
  return 0;
}

async function run(words: readonly string[], stopping: AbortController): Promise<number> {
  const { stdout: out, stderr: err } = process;
  const colours = wantsColours(process.env, out.isTTY === true);
  const found = findCommand(commands, words);
  if (!found) return noCommand(words, createOutput({ out, err }, false, colours));
  const { command, rest } = found;
  let output = createOutput({ out, err }, rest.includes("--json"), colours);
  try {
    const { help, json, ...given } = readArguments(command, rest, process.env);
    output = createOutput({ out, err }, json, colours);
    if (help) output.print(helpOf(command));
    return help ? 0 : await command.run({ ...given, output, signal: stopping.signal });
  } catch (error) {
    return failed(error, command, output);
  }
}

/** @returns the exit code */
function failed(error: unknown, command: Command, output: Output): number {
  if (!(error instanceof Error)) throw error;
  output.error(`voicegate ${command.name}: ${error.message}`);
  // A mistake of ours is told with its place; what the network did is a TypeError, too, and has a cause.
  if (error instanceof ReferenceError || (error instanceof TypeError && error.cause === undefined))
    output.progress(error.stack ?? "");
  if (!(error instanceof WrongUse)) return 1;
  output.progress(`Usage: ${command.usage}\nMore: voicegate ${command.name} --help`);
  return 2;
}

/** Not before everything that was said has left. */
function exit(code: number): void {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

const stopping = stopOnSignal();
endWithReader(process.stdout, stopping);
endWithReader(process.stderr, stopping);
run(process.argv.slice(2), stopping).then(exit, (error: unknown) => {
  console.error(error);
  process.exit(1);
});
