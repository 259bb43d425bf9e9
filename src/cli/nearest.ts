/** The name that somebody who mistyped it has most likely meant. */

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      next.push(best);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}

/** @param text at most the first 64 characters are looked at. @returns null when nothing is near */
export function nearest(text: string, names: readonly string[]): string | null {
  const word = text.slice(0, 64);
  const most = Math.max(1, Math.floor(word.length / 3));
  const rated = names.map((name) => ({ name, far: name.startsWith(word) && word !== "" ? 1 : distance(word, name) }));
  const [best] = rated.sort((a, b) => a.far - b.far);
  return best && best.far <= most ? best.name : null;
}
