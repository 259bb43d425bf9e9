/**
 * A report as JSON. Its form is stable: fields may be added, none is taken away or changes its meaning.
 *
 * ```
 * {
 *   "format": 1,
 *   "side": "gateway" | "receiver",
 *   "target": "<url>",
 *   "profile": "minimal" | "full",
 *   "contract": "<version of the contract that it was held against>",
 *   "started": "<RFC 3339>", "ms": <integer>,
 *   "passed": <whether nothing failed>,
 *   "counts": { "all", "passed", "failed", "skipped": <integer> },
 *   "outcomes": [{
 *     "id", "title", "clause": "<string>",
 *     "verdict": "passed" | "failed" | "skipped",
 *     "ms": <integer>,
 *     "reason": "<why it failed or was skipped, else empty>",
 *     "evidence": null | {
 *       "expected", "got": "<string>",
 *       "seen": ["<line>"],
 *       "exchanges": [{
 *         "method", "url", "request": { "headers": {"<name>": "<value>" | ["<value>"]}, "body": "<string>" },
 *         "response": null | { "status": <integer>, "headers": {…}, "body": "<string>" },
 *         "ms": <integer>,
 *         "repeat": "<line for a shell>"
 *       }]
 *     }
 *   }],
 *   "skips": [{ "reason": "<string>", "ids": ["<id>"] }],
 *   "remarks": ["<what is no failure>"]
 * }
 * ```
 *
 * Outcomes are in the order of the list of checks.
 */
import type { Evidence, Report } from "../check";
import { repeatLine } from "./repeat";
import { grouped, tally } from "./tally";

export function json(report: Report): object {
  const { side, target, profile, contract, started, ms, outcomes, remarks = [] } = report;
  const counts = tally(outcomes);
  const skipped = outcomes.filter(({ verdict }) => verdict === "skipped");
  return {
    format: 1,
    side,
    target,
    profile,
    contract,
    started,
    ms,
    passed: counts.failed === 0,
    counts,
    outcomes: outcomes.map((outcome) => ({ ...outcome, evidence: outcome.evidence && evidence(outcome.evidence) })),
    skips: grouped(skipped, ({ reason }) => reason).map(([reason, of]) => ({ reason, ids: of.map(({ id }) => id) })),
    remarks,
  };
}

function evidence({ expected, got, seen = [], exchanges = [] }: Evidence): object {
  return {
    expected,
    got,
    seen,
    exchanges: exchanges.map((exchange) => ({ ...exchange, repeat: repeatLine(exchange) })),
  };
}
