/** Which app gets the calls to a number. A form is a number, or the beginning of one followed by `*`. */
export class Numbers {
  private readonly exact = new Map<string, string>();
  private readonly prefixes = new Map<string, string>();

  /** The first of these forms that another app holds. */
  takenFrom(app_id: string, forms: readonly string[]): string | null {
    for (const form of forms) {
      const holder = this.table(form).get(keyOf(form));
      if (holder !== undefined && holder !== app_id) return form;
    }
    return null;
  }

  take(app_id: string, forms: readonly string[]): void {
    for (const form of forms) this.table(form).set(keyOf(form), app_id);
  }

  release(forms: readonly string[]): void {
    for (const form of forms) this.table(form).delete(keyOf(form));
  }

  /** Exact beats the longest prefix; `*` alone is the shortest. */
  holder(did: string): string | null {
    const exact = this.exact.get(did);
    if (exact !== undefined) return exact;
    for (let length = did.length; length >= 0; length--) {
      const holder = this.prefixes.get(did.slice(0, length));
      if (holder !== undefined) return holder;
    }
    return null;
  }

  private table(form: string): Map<string, string> {
    return form.endsWith("*") ? this.prefixes : this.exact;
  }
}

function keyOf(form: string): string {
  return form.endsWith("*") ? form.slice(0, -1) : form;
}
