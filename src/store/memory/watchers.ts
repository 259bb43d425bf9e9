/** Who wants to know when an app's feed grows. Told once per round of the event loop, after what made it grow. */
export class Watchers {
  private readonly apps = new Map<string, Set<() => void>>();
  private readonly told = new Set<string>();

  /** Answers how to end it. */
  add(app_id: string, grown: () => void): () => void {
    // One of its own for each call: the same function may watch twice.
    const watcher = (): void => grown();
    const all = this.apps.get(app_id) ?? new Set();
    this.apps.set(app_id, all.add(watcher));
    return () => {
      all.delete(watcher);
      if (all.size === 0 && this.apps.get(app_id) === all) this.apps.delete(app_id);
    };
  }

  tell(app_id: string): void {
    if (!this.apps.has(app_id) || this.told.has(app_id)) return;
    this.told.add(app_id);
    setImmediate(() => {
      this.told.delete(app_id);
      for (const watcher of this.apps.get(app_id) ?? []) watcher();
    });
  }
}
