/**
 * Calls by somebody with a real phone, who is asked in the terminal to call, to press keys and to hang up. Only the minimal
 * profile is made in this way: its few calls come one after the other, and of the full profile what needs more is skipped.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Broken, Skipped } from "../../check";
import type { Called, Caller, Placed, ScriptStep } from "./caller";
import type { Stage } from "./stage";

/** For the call to come. */
const patienceMs = 60_000;
/** More than the minimal profile has. */
const callsMost = 6;

export class HandDialled implements Caller {
  readonly kind = "manual";
  readonly number: string | null;
  #placed = 0;
  /** The call before this one is there, or nobody called. */
  #before: Promise<unknown> = Promise.resolve();

  /** @param did the number that leads to the gateway; null: whatever the kit makes up */
  constructor(
    private readonly world: Pick<Stage, "settings">,
    did: string | null,
  ) {
    this.number = did;
  }

  place(app: Called, script: readonly ScriptStep[]): Promise<Placed> {
    const mine = this.#before.then(() => this.#asked(app, script));
    this.#before = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    // Whoever called hangs up by himself, or is hung up on with the app.
  }

  async #asked(app: Called, script: readonly ScriptStep[]): Promise<Placed> {
    if (this.number !== null && app.did !== this.number)
      throw new Skipped(`Only ${this.number} can be called by hand, which is another app's.`);
    if (++this.#placed > callsMost)
      throw new Skipped(`Nobody is asked for more than ${callsMost} calls: use --profile minimal, or another caller.`);
    const { endpoint } = app;
    const known = new Set(endpoint.deliveries.map(({ source }) => source));
    this.world.settings.ask(`Please call ${app.did} now.`);
    const find = () => endpoint.deliveries.find(({ event, source }) => event === "call.new" && !known.has(source));
    const found = await endpoint.within(patienceMs, find);
    if (!found) throw new Broken({ expected: `a call to ${app.did} within ${patienceMs / 1000} s`, got: "none" });
    void this.#direct(app, found.source, script);
    return { session_uuid: found.source, caller_id: null, phone: null };
  }

  /** Tells the caller what to do, when it is time for it. */
  async #direct({ endpoint }: Called, source: string, script: readonly ScriptStep[]): Promise<void> {
    const { ask } = this.world.settings;
    /** So many events of the call are over for the script. */
    let passed = 0;
    for (const step of script) {
      if (step.do === "wait") await delay(step.ms, undefined, { ref: false });
      else if (step.do === "press") ask(`Please press ${step.digits} now.`);
      else if (step.do === "tone") ask(`Please say something for ${step.ms / 1000} s.`);
      else if (step.do === "hangup") ask("Please hang up now.");
      else {
        const next = () => {
          const at = endpoint.names(source).indexOf(step.event, passed);
          return at < 0 ? undefined : at;
        };
        const at = await endpoint.within(patienceMs, next);
        if (at === undefined) return;
        passed = at + 1;
      }
    }
  }
}
