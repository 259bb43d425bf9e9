/**
 * The end of a test run: which errors of the document were provoked, which were not and how they can be, and the count
 * of tests in one plain line. A run of the whole suite fails when one was not.
 *
 * The client of the tests leaves what it has seen in the folder that VOICEGATE_TRIPLES names: workers inherit it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { AggregatedResult, Config, Reporter } from "@jest/reporters";
import { errors, triples } from "../generated/operations";

/** A line of the client's record. */
interface Seen {
  readonly operation: string;
  readonly status: number;
  readonly message: string;
  /** Provoked by a store or an engine that fails. */
  readonly inside: boolean;
}

/**
 * What no outsider can cause. How long a media server takes to take a command is its own affair, too; and the embedded
 * engine has one node and no dialplan.
 */
const insideStatuses: readonly number[] = [500, 501, 503, 504];
const insideMessages: readonly string[] = [
  errors.command_uid_pending.message,
  errors.session_handed_back.message,
  errors.room_on_other_node.message,
];

/** What nobody outside may ever see while all is well: a defect, or a test that does not say what it has broken. */
const neverOutside: readonly number[] = [500, 501, 504];

const nameOf = (operation: string, status: number, message: string) => `${operation}: ${status} ${message}`;

/** How to cause an error, by what is answered. */
function provokeText(status: number, message: string): string {
  const found = Object.values(errors).find((error) => error.status === status && error.message === message);
  if (!found) throw new Error(`${status} ${message} is not in the catalogue`);
  return found.provoke;
}

export interface Account {
  /** `errors provoked: 3 of 5 (2 from outside, 1 by a failing store or engine)` */
  readonly line: string;
  /** What stands against it, one per line; empty when all is well. */
  readonly problems: readonly string[];
}

/** Holds what was seen against what the document declares. */
export function account(seen: readonly Seen[]): Account {
  const ways = new Map<string, Set<boolean>>();
  for (const { operation, status, message, inside } of seen) {
    const name = nameOf(operation, status, message);
    ways.set(name, (ways.get(name) ?? new Set()).add(inside));
  }
  const problems: string[] = [];
  let outside = 0;
  let inside = 0;
  for (const [operation, status, message] of triples) {
    const name = nameOf(operation, status, message);
    const way = ways.get(name);
    if (!way) problems.push(`not provoked: ${name}. ${provokeText(status, message)}`);
    else if (way.has(false) && neverOutside.includes(status)) problems.push(`answered while nothing failed: ${name}`);
    else if (way.has(false)) outside += 1;
    else if (insideStatuses.includes(status) || insideMessages.includes(message)) inside += 1;
    else problems.push(`provoked from inside, which an outsider can do: ${name}. ${provokeText(status, message)}`);
  }
  const how = `${outside} from outside, ${inside} by a failing store or engine`;
  return { line: `errors provoked: ${outside + inside} of ${triples.length} (${how})`, problems };
}

export default class ErrorReporter implements Reporter {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "voicegate-errors-"));
  readonly #whole: boolean;
  #problems: readonly string[] = [];

  constructor({ testPathPatterns, testNamePattern, onlyChanged, onlyFailures, shard }: Config.GlobalConfig) {
    this.#whole = !(testPathPatterns.isSet() || testNamePattern || onlyChanged || onlyFailures || shard);
    process.env.VOICEGATE_TRIPLES = this.#folder;
    process.once("exit", () => rmSync(this.#folder, { recursive: true }));
  }

  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    const { line, problems } = account(this.#seen());
    if (this.#whole) this.#problems = problems;
    // A test file that could not even be run has no failed test, and must not count for nothing.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const lines = [
      ...this.#problems,
      this.#whole ? line : `${line}, which only the whole suite must reach`,
      `${results.numPassedTests} passed, ${failed} failed`,
    ];
    // Whatever the order of the reporters, Jest's summary comes last: these lines come behind it.
    process.once("exit", () => process.stdout.write(`${lines.join("\n")}\n`));
  }

  /** Makes the run fail. */
  getLastError(): Error | undefined {
    const { length } = this.#problems;
    return length === 0 ? undefined : new Error(`${length} errors of the document were not provoked as they should be`);
  }

  #seen(): Seen[] {
    const lines = readdirSync(this.#folder).flatMap((file) =>
      readFileSync(path.join(this.#folder, file), "utf8").trimEnd().split("\n"),
    );
    return lines.map((line) => JSON.parse(line));
  }
}
