/** What a report may not show: keys and secrets. They are taken out once, before anything is written. */
import type { Evidence, Exchange, Headers, Outcome, Report } from "../check";

/** A value, and the variable of a shell that stands for it in a report. */
export interface Secret {
  /** `ADMIN_API_KEY` */
  readonly name: string;
  readonly value: string;
}

/** Signing secrets that came in answers; nobody needs to see them. */
const signingSecret = /whsec_[A-Za-z0-9+/_-]{8,}=*/g;
/** A key that a gateway made up, or that the kit gave to an app of its own. */
const madeKey = /("api_key"\s*:\s*")(?!\$)[^"\\]{16,}(")/g;

export class Mask {
  readonly #secrets: readonly Secret[];

  /** The first of two equal values gives the name. Values of less than 8 characters are words, and stay. */
  constructor(secrets: readonly Secret[]) {
    this.#secrets = secrets
      .filter(({ value }, i) => value.length >= 8 && secrets.findIndex((each) => each.value === value) === i)
      // The longest first: one may begin with another.
      .sort((a, b) => b.value.length - a.value.length);
  }

  text(text: string): string {
    let shown = text;
    for (const { name, value } of this.#secrets) shown = shown.replaceAll(value, `$${name}`);
    return shown.replaceAll(signingSecret, "whsec_…").replaceAll(madeKey, "$1…$2");
  }

  report(report: Report): Report {
    const { target, outcomes, remarks = [] } = report;
    return {
      ...report,
      target: this.text(target),
      outcomes: outcomes.map((outcome) => this.#outcome(outcome)),
      remarks: remarks.map((remark) => this.text(remark)),
    };
  }

  #outcome(outcome: Outcome): Outcome {
    return {
      ...outcome,
      reason: this.text(outcome.reason),
      evidence: outcome.evidence && this.#evidence(outcome.evidence),
    };
  }

  #evidence({ expected, got, exchanges = [], seen = [] }: Evidence): Evidence {
    return {
      expected: this.text(expected),
      got: this.text(got),
      exchanges: exchanges.map((exchange) => this.#exchange(exchange)),
      seen: seen.map((line) => this.text(line)),
    };
  }

  #exchange(exchange: Exchange): Exchange {
    const { method, url, request, response, ms, repeat } = exchange;
    const told = <T extends { readonly headers: Headers; readonly body: string }>(side: T): T => {
      return { ...side, headers: this.#headers(side.headers), body: this.text(side.body) };
    };
    const shown = { method, url: this.text(url), request: told(request), response: response && told(response), ms };
    return repeat === undefined ? shown : { ...shown, repeat: this.#line(repeat) };
  }

  /** In a line for a shell secrets stand in single quotes, where no variable would be read. */
  #line(line: string): string {
    let shown = line;
    for (const { name, value } of this.#secrets) shown = shown.replaceAll(value, `'"$${name}"'`);
    return this.text(shown);
  }

  #headers(headers: Headers): Headers {
    const shown = Object.entries(headers).map(([name, value]) => {
      if (value === undefined) return [name, value];
      return [name, typeof value === "string" ? this.text(value) : value.map((each) => this.text(each))];
    });
    return Object.fromEntries(shown);
  }
}
