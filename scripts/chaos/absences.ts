/** Times in which something was not there, by the monotonic clock. */
export class Absences {
  readonly #over: { readonly from: number; readonly to: number }[] = [];
  #begun: number | null = null;

  begin(): void {
    this.#begun ??= performance.now();
  }

  end(): void {
    if (this.#begun !== null) this.#over.push({ from: this.#begun, to: performance.now() });
    this.#begun = null;
  }

  /** For how many milliseconds it was not there since then. */
  since(at: number): number {
    const now = performance.now();
    const all = this.#begun === null ? this.#over : [...this.#over, { from: this.#begun, to: now }];
    return all.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, at)), 0);
  }
}
