import type { App } from "../store";

/** Remembered settings; the ones that were read first go first. */
const REMEMBERED = 1000;

/**
 * Settings of apps as they lie in Redis, read: field `j` of `T app` is the JSON of an `App` without `webhook_disabled_at`, field
 * `disabled` that, or "". The same texts give the same object, which costs a look-up.
 */
export class AppForms {
  readonly #read = new Map<string, App>();

  /** @throws SyntaxError when it is no JSON */
  of(j: string, disabled: string): App {
    const text = disabled + j;
    const known = this.#read.get(text);
    if (known !== undefined) return known;
    const app: App = { ...JSON.parse(j), webhook_disabled_at: disabled === "" ? null : Number(disabled) };
    this.#read.set(text, app);
    for (const first of this.#read.keys()) {
      if (this.#read.size > REMEMBERED) this.#read.delete(first);
      else break;
    }
    return app;
  }
}
