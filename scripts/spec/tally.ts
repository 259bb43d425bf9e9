import { type Catalogue, SpecError } from "./document";
import type { Policy } from "./policy";

const BEGIN = "<!-- errors: generated -->";
const END = "<!-- /errors -->";

/** Markdown: for each HTTP status, how many errors have it and how many pairs of operation and error that makes. */
export function errorTable(catalogue: Catalogue, all: readonly Policy[]): string {
  const byStatus = new Map<number, { errors: number; pairs: number }>();
  const total = { errors: 0, pairs: 0 };
  for (const [code, { status }] of Object.entries(catalogue.errors)) {
    if (status === undefined) continue;
    const pairs = all.filter(({ failures }) => failures.includes(code)).length;
    const row = byStatus.get(status) ?? { errors: 0, pairs: 0 };
    for (const sum of [row, total]) {
      sum.errors += 1;
      sum.pairs += pairs;
    }
    byStatus.set(status, row);
  }
  const rows = [...byStatus].sort(([a], [b]) => a - b).map(([status, { errors, pairs }]) => [status, errors, pairs]);
  const lines = [["status", "errors", "on operations"], ["---", "--:", "--:"], ...rows];
  return [...lines, ["**all**", total.errors, total.pairs]].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** A text in which what stands between the two markers is this table. */
export function withErrorTable(text: string, table: string): string {
  const [before, ...others] = text.split(BEGIN);
  const [, after, ...more] = others.join(BEGIN).split(END);
  if (others.length !== 1 || after === undefined || more.length > 0)
    throw new SpecError(`README.md: the table of errors stands between one ${BEGIN} and one ${END}`);
  return `${before}${BEGIN}\n\n${table}\n${END}${after}`;
}
