/** A map that strangers fill: the entry that was set longest ago makes room. */
export class BoundedMap<V> extends Map<string, V> {
  constructor(private readonly bound: number) {
    super();
  }

  override set(key: string, value: V): this {
    this.delete(key);
    if (this.size >= this.bound) {
      const oldest = this.keys().next();
      if (!oldest.done) this.delete(oldest.value);
    }
    return super.set(key, value);
  }
}
