/** A report as lines of text: failures in full, skips by their reason, the count last. */
import type { Exchange, Headers, Outcome, Report } from "../check";
import { repeatLine } from "./repeat";
import { countLine, grouped, tally } from "./tally";

/** Of a body that is shown. */
const shownBody = 600;
/** Of the exchanges of a failure: the last ones tell most. */
const shownExchanges = 3;
/** Told in full; where there are more, they tend to have one cause. */
const shownFailures = 25;
/** Say nothing about the contract. */
const dull = /^(?:date|connection|keep-alive|content-length|transfer-encoding|host|user-agent|accept)$/i;

export function plain(report: Report, colours: boolean): string[] {
  const paint = (code: number, text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const failed = report.outcomes.filter(({ verdict }) => verdict === "failed");
  const skipped = report.outcomes.filter(({ verdict }) => verdict === "skipped");
  const lines: string[] = [];
  for (const outcome of failed.slice(0, shownFailures))
    lines.push(paint(31, `✗ ${outcome.id}`), ...failure(outcome).map(indented), "");
  const more = failed.slice(shownFailures);
  for (const [reason, of] of grouped(more, (outcome) => visible(outcome.reason)))
    lines.push(...group("✗", "failed", reason, of));
  if (more.length > 0) lines.push("", "All of them in full are in the other forms: --report-html, --report-json.", "");
  if (failed.some(({ evidence }) => (evidence?.exchanges ?? []).length > 0))
    lines.push("Credentials stand in these lines as variables of the shell: set them before you paste one.", "");
  for (const [reason, of] of grouped(skipped, (outcome) => visible(outcome.reason))) {
    const [first = "", ...rest] = group("-", "skipped", reason, of);
    lines.push(paint(33, first), ...rest);
  }
  for (const remark of report.remarks ?? []) lines.push(paint(33, `! ${remark}`));
  if (skipped.length > 0 || (report.remarks ?? []).length > 0) lines.push("");
  lines.push(paint(tally(report.outcomes).failed > 0 ? 31 : 32, countLine(report)));
  return lines;
}

function group(sign: string, verdict: string, reason: string, of: readonly Outcome[]): string[] {
  const ids = of.map(({ id }) => id);
  const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
  return [
    `${sign} ${of.length} ${verdict}: ${short}`,
    indented(`${ids.slice(0, 6).join(", ")}${ids.length > 6 ? ", …" : ""}`),
  ];
}

const indented = (line: string): string => `    ${line}`;

function failure({ title, clause, reason, evidence }: Outcome): string[] {
  const lines = [title, `clause    ${clause}`];
  if (!evidence) return [...lines, visible(reason)];
  lines.push(`expected  ${visible(evidence.expected)}`, `got       ${visible(evidence.got)}`);
  for (const line of evidence.seen ?? []) lines.push(`seen      ${visible(line)}`);
  const exchanges = evidence.exchanges ?? [];
  if (exchanges.length > shownExchanges) lines.push(`(${exchanges.length - shownExchanges} exchanges before these)`);
  for (const exchange of exchanges.slice(-shownExchanges)) lines.push(...exchangeLines(exchange));
  return lines;
}

/** `> ` what was sent, `< ` what came, `$ ` how to do it again. */
export function exchangeLines(exchange: Exchange): string[] {
  const { method, url, request, response, ms } = exchange;
  const lines = [`> ${method} ${url}`, ...headerLines(request.headers).map((line) => `> ${line}`)];
  if (request.body !== "") lines.push(`> ${body(request.body)}`);
  if (response === null) lines.push(`< no answer (${ms} ms)`);
  else {
    lines.push(`< ${response.status} (${ms} ms)`, ...headerLines(response.headers).map((line) => `< ${line}`));
    if (response.body !== "") lines.push(`< ${body(response.body)}`);
  }
  return [...lines, `$ ${repeatLine(exchange)}`];
}

export function headerLines(headers: Headers): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || dull.test(name)) return [];
    return (typeof value === "string" ? [value] : value).map((each) => visible(`${name}: ${each}`));
  });
}

function body(text: string): string {
  const short = text.length > shownBody ? `${text.slice(0, shownBody)}… (${text.length} characters)` : text;
  return visible(short);
}

/** What would move the cursor, colour the terminal or turn the text is written out. */
export function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
