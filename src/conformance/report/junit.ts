/** A report as JUnit XML: a suite for each family of checks, in the form that build servers share. */
import type { Outcome, Report } from "../check";
import { exchangeLines } from "./plain";
import { familyOf, grouped, tally } from "./tally";

export function junit(report: Report): string {
  const { side, target, started, outcomes, ms } = report;
  const { all, failed } = tally(outcomes);
  const attributes = `name="${xml(`voicegate conformance ${side}`)}" tests="${all}" failures="${failed}" errors="0"`;
  const lines = [`<?xml version="1.0" encoding="UTF-8"?>`, `<testsuites ${attributes} time="${seconds(ms)}">`];
  // Its type in the schemas of others has neither a fraction nor a zone.
  const timestamp = started.slice(0, 19);
  grouped(outcomes, ({ id }) => familyOf(id)).forEach(([family, of], i) => {
    const counts = tally(of);
    const time = of.reduce((sum, outcome) => sum + outcome.ms, 0);
    lines.push(
      `  <testsuite name="${xml(`${side}.${family}`)}" tests="${counts.all}" failures="${counts.failed}" errors="0"` +
        ` skipped="${counts.skipped}" time="${seconds(time)}" timestamp="${timestamp}" hostname="${xml(hostOf(target))}"` +
        ` id="${i}" package="voicegate.conformance">`,
      ...of.map((outcome) => testcase(`${side}.${family}`, outcome)),
      "  </testsuite>",
    );
  });
  return `${[...lines, "</testsuites>"].join("\n")}\n`;
}

function testcase(suite: string, outcome: Outcome): string {
  const { id, title, ms, verdict, reason } = outcome;
  const open = `    <testcase classname="${xml(suite)}" name="${xml(`${id}: ${title}`)}" time="${seconds(ms)}"`;
  if (verdict === "passed") return `${open}/>`;
  const told =
    verdict === "skipped"
      ? `<skipped message="${xml(reason)}"/>`
      : `<failure message="${xml(reason)}" type="Broken">${xml(failureText(outcome))}</failure>`;
  return `${open}>\n      ${told}\n    </testcase>`;
}

function failureText({ title, clause, evidence, reason }: Outcome): string {
  if (!evidence) return `${title}\n${clause}\n${reason}`;
  const { expected, got, seen = [], exchanges = [] } = evidence;
  const lines = [
    title,
    `clause: ${clause}`,
    `expected: ${expected}`,
    `got: ${got}`,
    ...seen.map((line) => `seen: ${line}`),
  ];
  return [...lines, ...exchanges.flatMap(exchangeLines)].join("\n");
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

function hostOf(target: string): string {
  return URL.canParse(target) ? new URL(target).hostname : target;
}

/** Neither the characters that XML 1.0 forbids, nor halves of others. */
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For texts and attributes, of XML and of HTML. */
export function xml(text: string): string {
  return text.replaceAll(forbidden, "").replaceAll(/[&<>"']/g, (char) => entities[char] ?? "");
}
