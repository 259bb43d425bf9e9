/** Call control at an exchange, and moments at which what it asks for is held up. */
import type { Verdict } from "../../src/engines/engine";
import { Exchange } from "./exchange";
import { ExchangeEngine } from "./exchange-engine";
import { Recorder } from "./recorder";
import { run } from "./suite";

export class ControlPlace {
  readonly exchange = new Exchange();
  readonly engine = new ExchangeEngine(this.exchange);
  readonly recorder = new Recorder();

  /** Reads the exchange. */
  static async open(): Promise<ControlPlace> {
    const place = new ControlPlace();
    place.engine.reads(true);
    await place.engine.start(place.recorder);
    return place;
  }

  /** The verdict waits until the test gives it. */
  held(): (verdict: Verdict) => void {
    let give: (verdict: Verdict) => void = () => undefined;
    const verdict = new Promise<Verdict>((resolve) => {
      give = resolve;
    });
    this.recorder.verdict = () => verdict;
    return give;
  }

  /** What is asked next of this kind waits until the test lets it go on. */
  stuck(what: string): { readonly asked: Promise<void>; release(): void } {
    let [arrive, release] = [() => {}, () => {}];
    const asked = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const freed = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.exchange.meet = async (asking) => {
      if (!asking.startsWith(what)) return;
      arrive();
      await freed;
    };
    return { asked, release };
  }

  async accepted(): Promise<string> {
    const { session_uuid, verdict } = this.exchange.ring();
    if ((await verdict) !== "accepted") throw new Error("the call was not accepted");
    return session_uuid;
  }

  async answered(): Promise<string> {
    const session_uuid = await this.accepted();
    await run(this, "answer", session_uuid, {});
    return session_uuid;
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
