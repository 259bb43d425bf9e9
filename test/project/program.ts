/** Programs as a user starts them: in a process of their own, watched by their output. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

/** Compiled tests lie in dist/test/project. */
export const root = path.join(__dirname, "../../..");

export class Program {
  readonly child: ChildProcess;
  output = "";
  readonly #waiters = new Set<() => void>();
  #over = false;

  /** In a group of its own, so that a shell's children end with it. */
  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    // A Redis that is there for the tests is not for what they start, unless they say so.
    const options = { cwd: root, env: { ...process.env, REDIS_URL: "", ...env }, detached: true } as const;
    this.child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    const take = (chunk: Buffer) => {
      this.output += chunk.toString("utf8");
      for (const look of this.#waiters) look();
    };
    this.child.stdout?.on("data", take);
    this.child.stderr?.on("data", take);
    // Only then nothing more is printed: what a shell has started may outlive it.
    this.child.on("close", () => {
      this.#over = true;
      for (const look of this.#waiters) look();
    });
  }

  /** Resolves with the first match in what it prints; rejects when it ends without. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.output);
        if (!match && !this.#over) return;
        this.#waiters.delete(look);
        if (match) resolve(match);
        else reject(new Error(`ended (${this.child.exitCode}) without printing ${pattern}:\n${this.output}`));
      };
      this.#waiters.add(look);
      look();
    });
  }

  /** @returns its exit code */
  async ended(): Promise<number | null> {
    if (!this.#over) await once(this.child, "close");
    return this.child.exitCode;
  }

  /** Like Ctrl-C in its terminal: the whole group gets it. */
  interrupt(signal: NodeJS.Signals = "SIGINT"): void {
    const { pid } = this.child;
    if (pid !== undefined && !this.#over) process.kill(-pid, signal);
  }
}
