/**
 * The one clock of all calls. A frame of 20 ms is divided into beats of 5 ms: calls share the beats out among them, so
 * that 300 packets do not leave in one burst, and a call with another ptime than 20 has its own rhythm on the same clock.
 */

export const beatMs = 5;
/** Lateness up to here is caught up beat by beat, and the receivers' jitter buffers fill again; beyond it time is skipped. */
const catchUpBeats = 200 / beatMs;

/** Each beat is set from the origin, never from the last beat: what one is late, the next makes up, and nothing drifts. */
export class Clock {
  private readonly origin = performance.now();
  private last = 0;

  /** `beat` gets the number of the beat. Numbers rise; one is left out only where time was skipped (a stopped process, a stalled machine). */
  constructor(private readonly beat: (number: number) => void) {
    this.wait();
  }

  private wait(): void {
    const next = this.origin + (this.last + 1) * beatMs;
    setTimeout(() => this.turn(), Math.max(1, Math.round(next - performance.now())));
  }

  private turn(): void {
    // Timers have whole milliseconds: half a millisecond early is on time.
    const due = Math.floor((performance.now() - this.origin + 0.5) / beatMs);
    if (due - this.last > catchUpBeats) this.last = due - 1;
    while (this.last < due) this.beat(++this.last);
    this.wait();
  }
}
