/** The program as a user runs it: a process of its own, whose words and exit code are looked at. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { findCommand, readArguments } from "../../src/cli/arguments";
import { commands } from "../../src/cli/table";
import { root } from "../project/program";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Resolves with the first match on standard output; rejects when it ends without. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Nothing of the environment of the tests is for it. */
const bare = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
export const program = path.join(root, "dist/src/cli/voicegate.js");

export function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = ""): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd: root, env: { ...bare, ...env } });
  let [stdout, stderr] = ["", ""];
  const waiting = new Set<() => void>();
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    for (const look of waiting) look();
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  // It may end without having read.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  const prints = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(stdout);
        if (match) resolve(match);
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`)));
    });
  return { child, ended, prints };
}

export function voicegate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ran> {
  return start(args, env, input).ended;
}

/** The documents that were printed, one a line. */
export function documents({ stdout }: Pick<Ran, "stdout">): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The same without a process: for words that it refuses, and for what it says of files. @throws WrongUse */
export async function inside(args: readonly string[]): Promise<Ran> {
  const found = findCommand(commands, args);
  if (!found) throw new Error(`no command: ${args.join(" ")}`);
  let [stdout, stderr] = ["", ""];
  const { help: _help, json, ...given } = readArguments(found.command, found.rest, {});
  const output = {
    print: (line: string) => {
      stdout += `${line}\n`;
    },
    error: (line: string) => {
      stderr += `${line}\n`;
    },
    progress: () => undefined,
    json,
    colours: false,
  };
  const status = await found.command.run({ ...given, output, signal: new AbortController().signal });
  return { status, stdout, stderr };
}
