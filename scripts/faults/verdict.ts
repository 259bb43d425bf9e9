/** What the kit made of a fault, and what a whole matrix comes to. */

/** What the kit said of one gateway or receiver. */
export interface Verdict {
  /** Of the fault; "" of the one without. */
  readonly name: string;
  readonly about: string;
  /** Ids of the checks that failed. */
  readonly failed: readonly string[];
  /** Each of them with what was wrong. */
  readonly reasons: readonly string[];
  readonly passed: number;
  /** Checks that were skipped, each with its reason. */
  readonly skipped: readonly string[];
  /** How often the fault was in effect; null: nobody counts. */
  readonly struck: number | null;
  readonly seconds: number;
  /** Not said by the kit: why there is nothing that it said. Else "". */
  readonly broken: string;
}

/** `idle`: the fault was never in effect. `broken`: the kit did not come to its end. */
export type Outcome = "caught" | "missed" | "idle" | "broken";

export function outcomeOf({ failed, struck, broken }: Verdict): Outcome {
  if (broken !== "") return "broken";
  if (struck === 0) return "idle";
  return failed.length > 0 ? "caught" : "missed";
}

export interface Sum {
  /** Of all faults, those that were caught: 0 to 1. */
  readonly share: number;
  /** The one without a fault passed. */
  readonly right: boolean;
}

/** @param verdicts the one without a fault among them */
export function sumOf(verdicts: readonly Verdict[]): Sum {
  const faulty = verdicts.filter(({ name }) => name !== "");
  const right = verdicts.some(({ name }) => name === "") && verdicts.every((each) => each.name !== "" || passed(each));
  const caught = faulty.filter((each) => outcomeOf(each) === "caught").length;
  return { share: faulty.length === 0 ? 1 : caught / faulty.length, right };
}

function passed({ failed, broken, passed }: Verdict): boolean {
  return failed.length === 0 && broken === "" && passed > 0;
}

/** One line: the fault, and which checks caught it. */
export function line(verdict: Verdict, width: number): string {
  const { name, failed, seconds, broken, passed: good } = verdict;
  const time = `${seconds.toFixed(0)} s`.padStart(6);
  if (name === "")
    return `${"no fault".padEnd(width)}  ${time}  ${passed(verdict) ? `passed ${good} checks` : whatFailed(verdict)}`;
  const outcome = outcomeOf(verdict);
  const more = failed.length > 3 ? ` and ${failed.length - 3} more` : "";
  const checks = `${failed.slice(0, 3).join(", ")}${more}`;
  const idle = `NEVER IN EFFECT${checks && `, but failed: ${checks}`}`;
  const by = { caught: checks, missed: "MISSED", idle, broken };
  return `${name.padEnd(width)}  ${time}  ${by[outcome]}`;
}

const whatFailed = ({ reasons, broken }: Verdict) => `FAILED: ${broken || reasons.join("; ")}`;

/** The table, the worst last, and the share. */
export function printed(verdicts: readonly Verdict[], side: string): string {
  const width = Math.max(8, ...verdicts.map(({ name }) => name.length));
  const order: readonly Outcome[] = ["caught", "idle", "broken", "missed"];
  const rows = order.flatMap((outcome) => {
    return verdicts.filter((each) => each.name !== "" && outcomeOf(each) === outcome).map((each) => line(each, width));
  });
  const right = verdicts.filter(({ name }) => name === "").map((each) => line(each, width));
  const { share } = sumOf(verdicts);
  const faulty = verdicts.filter(({ name }) => name !== "");
  const count = (wanted: Outcome) => faulty.filter((each) => outcomeOf(each) === wanted).length;
  const rest = `${count("missed")} missed, ${count("idle")} never in effect, ${count("broken")} broken`;
  const sum = `${side}: ${count("caught")} of ${faulty.length} faults caught (${(share * 100).toFixed(1)} %), ${rest}`;
  return [...rows, ...right, sum, ""].join("\n");
}
