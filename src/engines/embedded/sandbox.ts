/** The simulated caller: one without a phone, which does what its script says. Its keys and tones go through the media process. */
import type { LegEnd } from "../control/leg";
import type { ScriptStep } from "../engine";
import type { Caller, CallerHandler } from "./caller";
import type { MediaLink } from "./media/link";

export interface SimulatedCallerOptions {
  /** The call, as the media process knows it. */
  readonly call: string;
  readonly caller_id: string;
  readonly did: string;
  readonly script: readonly ScriptStep[];
  readonly link: Pick<MediaLink, "press" | "tone">;
}

/** Events that no `wait_for` has passed yet; of more the oldest are forgotten. */
const rememberedMost = 1000;
const defaultGapMs = 100;

/**
 * The script begins when it rings and runs step by step; after the last one the caller stays on the line. `wait_for` ends
 * with the first event of its name that came after the one that the `wait_for` before it ended with: an event that comes
 * during a `press` is not missed, and two equal steps wait for two events. It has no limit but the end of the call.
 */
export class SimulatedCaller implements Caller {
  readonly transport = "simulated";
  readonly caller_id: string;
  readonly did: string;
  handler: CallerHandler | null = null;
  readonly #options: SimulatedCallerOptions;
  #answered = false;
  #over = false;
  /** No step is left that could wait for anything. */
  #played = false;
  #events: string[] = [];
  /** What the step under way waits for. */
  #awaited: string | number | null = null;
  #go: () => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SimulatedCallerOptions) {
    this.#options = options;
    this.caller_id = options.caller_id;
    this.did = options.did;
  }

  ring(): void {
    void this.#run();
  }

  early(): void {
    // Whoever is simulated hears nothing, early or late.
  }

  answer(): void {
    this.#answered = true;
  }

  refuse(): void {
    this.#leave();
  }

  hangup(): void {
    this.#leave();
  }

  /** @param event a name of the document's; what no step waits for is passed over */
  happened(event: string): void {
    if (this.#over || this.#played) return;
    if (this.#awaited === event) {
      this.#done();
      return;
    }
    if (typeof this.#awaited === "string") return;
    this.#events.push(event);
    if (this.#events.length > rememberedMost) this.#events.shift();
  }

  /** The media process has sent all of a `press` or a `tone`. */
  pressed(step: number): void {
    if (this.#awaited === step) this.#done();
  }

  async #run(): Promise<void> {
    const { call, script, link } = this.#options;
    for (const [index, step] of script.entries()) {
      if (this.#over) return;
      switch (step.do) {
        case "wait":
          await this.#until(null, () => {
            this.#timer = setTimeout(() => this.#done(), step.ms);
          });
          break;
        case "wait_for":
          if (!this.#passed(step.event)) await this.#until(step.event, () => undefined);
          break;
        case "press":
          await this.#until(index, () => link.press(call, index, step.digits, step.gap_ms ?? defaultGapMs));
          break;
        case "tone":
          await this.#until(index, () => link.tone(call, index, step.hz, step.ms));
          break;
        case "hangup":
          this.#hangUp();
          break;
      }
    }
    this.#played = true;
    this.#events = [];
  }

  /** Has the event come already? Either way, what came before it is passed. */
  #passed(event: string): boolean {
    const index = this.#events.indexOf(event);
    this.#events = index < 0 ? [] : this.#events.slice(index + 1);
    return index >= 0;
  }

  /** Resolves when what is awaited has come, or the call is over. Expect, then begin. */
  #until(awaited: string | number | null, begin: () => void): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#awaited = awaited;
      this.#go = resolve;
      begin();
    });
  }

  /** At once, not when the next step begins: what happens in between must not pass for what was awaited. */
  #done(): void {
    this.#awaited = null;
    this.#go();
  }

  #hangUp(): void {
    this.#leave();
    const end: LegEnd = this.#answered
      ? { by: "caller", cause: "NORMAL_CLEARING", q850: 16, sipStatus: null }
      : { by: "caller", cause: "ORIGINATOR_CANCEL", q850: 16, sipStatus: 487 };
    this.handler?.onEnd(end);
  }

  #leave(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#done();
  }
}
