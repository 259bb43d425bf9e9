/** What waits for an answer: registered before it is asked for. Three ways out: answer, deadline, loss. */
interface Waiting<T> {
  readonly deadline: NodeJS.Timeout;
  resolve(answer: T): void;
  reject(error: Error): void;
}

export class Pending<T> {
  private last = 0;
  private readonly waiting = new Map<number, Waiting<T>>();

  /** `late` is called when no answer came in `deadlineMs`, and says what the waiting ends with. An answer after that finds nobody. */
  expect(deadlineMs: number, late: () => Error): { id: number; answer: Promise<T> } {
    const id = ++this.last;
    const answer = new Promise<T>((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.waiting.delete(id);
        reject(late());
      }, deadlineMs);
      this.waiting.set(id, { deadline, resolve, reject });
    });
    return { id, answer };
  }

  resolve(id: number, answer: T): void {
    this.take(id)?.resolve(answer);
  }

  reject(id: number, error: Error): void {
    this.take(id)?.reject(error);
  }

  rejectAll(error: () => Error): void {
    for (const id of [...this.waiting.keys()]) this.reject(id, error());
  }

  private take(id: number): Waiting<T> | undefined {
    const waiting = this.waiting.get(id);
    clearTimeout(waiting?.deadline);
    this.waiting.delete(id);
    return waiting;
  }
}
