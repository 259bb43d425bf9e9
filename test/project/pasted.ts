/** Lines of a text as a user pastes them into a terminal, against a gateway on a free port. */
import { execFile } from "node:child_process";
import { root } from "./program";

export interface Pasted {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/**
 * @param url of the gateway, in place of the one that texts name
 * @param before lines that set what the text has set elsewhere
 */
export function pasted(url: string, lines: string, before = ""): Promise<Pasted> {
  const script = `set -eu\n${before}\n${lines.replaceAll("http://127.0.0.1:8080", url)}\n`;
  return new Promise((resolve) => {
    execFile("bash", ["-c", script], { encoding: "utf8", cwd: root }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ stdout, stderr, status });
    });
  });
}
