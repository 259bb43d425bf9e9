/** What the doctor finds, in plain words. */

export interface Finding {
  /** What was looked at: "Redis", "webhook". */
  readonly about: string;
  /** `wrong`: it will not work. `warning`: it works, and may not for long, or not as one thinks. */
  readonly verdict: "good" | "warning" | "wrong";
  readonly message: string;
  /** What to do. */
  readonly fix?: string;
}

/** Findings about one thing. */
export class Findings {
  readonly all: Finding[] = [];

  constructor(private readonly about: string) {}

  good(message: string): void {
    this.all.push({ about: this.about, verdict: "good", message });
  }

  warning(message: string, fix: string): void {
    this.all.push({ about: this.about, verdict: "warning", message, fix });
  }

  wrong(message: string, fix: string): void {
    this.all.push({ about: this.about, verdict: "wrong", message, fix });
  }
}

/** Seconds that two clocks may differ: a webhook's time is taken within five minutes, and this leaves some for its way. */
const skewMost = 60;

/**
 * Judges the difference of another clock to this one.
 * @param aheadMs the other one is ahead by so many ms
 * @param uncertainMs how long the answer took, and with what precision it came
 */
export function judgeClock(findings: Findings, whose: string, aheadMs: number, uncertainMs: number): void {
  const ahead = Math.round(aheadMs / 1000);
  const off = `${Math.abs(ahead)} s ${ahead > 0 ? "ahead of" : "behind"} this one`;
  if (Math.abs(aheadMs) > skewMost * 1000 + uncertainMs)
    findings.wrong(
      `The clock of ${whose} is ${off}.`,
      "Set both by NTP: signatures of webhooks are good for five minutes around their time.",
    );
  else if (Math.abs(aheadMs) > 2000 + uncertainMs)
    findings.warning(`The clock of ${whose} is ${off}.`, "Set both by NTP.");
  else findings.good(`The clock of ${whose} agrees with this one.`);
}

/** Why something failed, without what stands around it. */
export function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return why(error.errors[0]);
  return error.cause instanceof Error ? why(error.cause) : error.message || error.name;
}
