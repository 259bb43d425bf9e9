/** Wakes those who wait for something to happen. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  /** Resolves when it rings, or this much time has passed. */
  wait(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, withinMs);
      this.#waiting.add(wake);
    });
  }

  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
