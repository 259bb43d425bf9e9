/** What the program says: on a terminal for people, with `--json` for programs. */
import type { Output } from "./command";

export interface Streams {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream;
}

/** Standard output is a terminal that shows colours, and nobody has asked for none (no-color.org). */
export function wantsColours(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  return isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
}

export function createOutput({ out, err }: Streams, json: boolean, colours: boolean): Output {
  return {
    json,
    colours: colours && !json,
    print: (line) => void out.write(`${line}\n`),
    error: (line) => void err.write(`${json ? JSON.stringify({ error: line }) : line}\n`),
    progress: (line) => {
      if (!json) err.write(`${line}\n`);
    },
  };
}

const codes = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

/** The text in a colour, where there are any. */
export function paint(colours: boolean, colour: keyof typeof codes, text: string): string {
  return colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text;
}

/** What a program is given, or what people read: rows of the same length in columns, the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** What may come from a stranger and goes to a terminal: control characters would be obeyed there. */
export function harmless(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
