import type { App, Loaded, Subject } from "../store";
import type { AppForms } from "./forms";

/** Remembered apps; the one that was learnt first goes first. */
const REMEMBERED = 2000;

/** The settings of an app as they were when somebody asked. */
export interface Settings {
  /** Of this epoch, revision and moment of its webhooks being turned off: see `lua/settings.ts`. */
  readonly stamp: string;
  readonly app: App;
  readonly revision: number;
}

const UNKNOWN = { stamp: "" } as const;

/**
 * The settings that were told last of each app. Scripts are told their stamp, and tell settings only when they have others:
 * Redis stays the authority, and what has not changed is not sent and read again.
 */
export class KnownSettings {
  readonly #forms: AppForms;
  readonly #known = new Map<string, Settings>();

  constructor(forms: AppForms) {
    this.#forms = forms;
  }

  /** What is known now. Keep it until the answer is there: others may come meanwhile. */
  of(app_id: string): Settings | typeof UNKNOWN {
    return this.#known.get(app_id) ?? UNKNOWN;
  }

  /** Those that the script has found, which was told the stamp of `known`. */
  told(app_id: string, known: Settings | typeof UNKNOWN, stamp: string, j: string): Settings {
    if (stamp === "" && "app" in known) return known;
    const [, revision, , disabled = ""] = stamp.split(" ");
    const settings = { stamp, app: this.#forms.of(j, disabled), revision: Number(revision) };
    this.#known.set(app_id, settings);
    for (const first of this.#known.keys()) {
      if (this.#known.size > REMEMBERED) this.#known.delete(first);
      else break;
    }
    return settings;
  }
}

/** What a script has told of a call or room; "" or nothing: there is none. */
export function loadedOf<S extends Subject>(version: unknown, text: unknown, settings: Settings): Loaded<S> | null {
  if (typeof text !== "string" || text === "") return null;
  const { app, revision } = settings;
  return { state: JSON.parse(text), version: Number(version), app, revision };
}
