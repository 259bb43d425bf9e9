/** Figures: how they are drawn from many, and how they are printed. */

/** @param sorted ascending; @param q from 0 to 1 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** One part of the benchmark: what a reader sees, and what a machine reads. */
export interface Section {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What was measured, and how to read it. */
  readonly notes: readonly string[];
  readonly figures: Readonly<Record<string, unknown>>;
}

/** First column to the left, figures to the right. */
export function print({ title, columns, rows, notes }: Omit<Section, "figures">): string {
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ");
  return [
    title,
    ...[columns, ...rows].map((cells) => `  ${line(cells)}`),
    ...notes.map((note) => `  ${note}`),
    "",
  ].join("\n");
}

export const µs = (value: number): string => value.toFixed(1);
export const ms = (value: number): string => value.toFixed(2);
export const whole = (value: number): string => String(Math.round(value));
export const percent = (share: number): string => (Number.isNaN(share) ? "-" : `${(100 * share).toFixed(0)} %`);
