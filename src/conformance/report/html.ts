/**
 * A report as one HTML page that needs nothing else: it opens from a disk, asks nobody, and may go by mail. Without its
 * script everything is there, only not filtered.
 */
import { createHash } from "node:crypto";
import type { Exchange, Outcome, Report } from "../check";
import { xml } from "./junit";
import { script, style } from "./page";
import { headerLines, visible } from "./plain";
import { repeatLine } from "./repeat";
import { countLine, familyOf, grouped, tally } from "./tally";

/** Of the exchanges of a failure: the last ones tell most. */
const shownExchanges = 6;
const shownSlow = 10;

export function html(report: Report): string {
  const { side, target, profile, contract, started, outcomes, remarks = [] } = report;
  const { failed, skipped } = tally(outcomes);
  const failures = outcomes.filter(({ verdict }) => verdict === "failed");
  const verdict = failed > 0 ? "failed" : "passed";
  const words = failed > 0 ? `${failed} failed` : skipped > 0 ? `Passed, ${skipped} skipped` : "Passed";
  const facts = [
    [side === "gateway" ? "Gateway" : "Webhook endpoint", target],
    ["Contract", contract],
    ["Profile", profile],
    ["Begun", started],
    ["Result", countLine(report)],
  ];
  const body = `
<header>
<h1>Conformance of the ${side} <span class="verdict ${verdict}">${words}</span></h1>
<dl class="facts">${facts.map(([name = "", value = ""]) => `<div><dt>${name}</dt><dd>${xml(value)}</dd></div>`).join("")}</dl>
${remarks.length > 0 ? `<ul class="remarks">${remarks.map((remark) => `<li>${xml(remark)}</li>`).join("")}</ul>` : ""}
</header>
<main>
<form id="filter" role="search" hidden>
<label>Find <input id="find" type="search" placeholder="id, title, clause or reason" autocomplete="off"></label>
<fieldset><legend>Verdict</legend>${choices(report)}</fieldset>
<output id="shown" aria-live="polite"></output>
</form>
${failures.length > 0 ? `<section id="failures"><h2>Failures</h2>\n<p>Credentials stand as variables of the shell, such as <code>$ADMIN_API_KEY</code>: set them before you paste a line.</p>\n${failures.map(failure).join("\n")}\n</section>` : ""}
${skipped > 0 ? skips(outcomes) : ""}
<section><h2>All checks</h2>
${grouped(outcomes, ({ id }) => familyOf(id))
  .map(([name, of]) => family(name, of))
  .join("\n")}
</section>
${slowest(outcomes)}
</main>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hash(style)}'; script-src '${hash(script)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${words}: conformance of ${xml(target)}</title>
<style>${style}</style>
</head>
<body>${body}
<script>${script}</script>
</body>
</html>
`;
}

const hash = (text: string): string => `sha256-${createHash("sha256").update(text).digest("base64")}`;

function choices({ outcomes }: Report): string {
  const counts = tally(outcomes);
  const all = [
    ["", "all", counts.all],
    ["failed", "failed", counts.failed],
    ["skipped", "skipped", counts.skipped],
    ["passed", "passed", counts.passed],
  ] as const;
  return all
    .map(([value, name, count]) => {
      const checked = value === "" ? " checked" : "";
      return `<label><input type="radio" name="verdict" value="${value}"${checked}> ${name} (${count})</label>`;
    })
    .join(" ");
}

function failure(outcome: Outcome): string {
  const { id, title, clause, reason, evidence, ms } = outcome;
  const { expected = title, got = reason, seen = [], exchanges = [] } = evidence ?? {};
  const left = exchanges.length - shownExchanges;
  return `<details class="check failed" data-check data-verdict="failed" open>
<summary><h3>${xml(title)}</h3> <code>${xml(id)}</code> <span class="ms">${time(ms)}</span></summary>
<dl><div><dt>Clause</dt><dd>${xml(clause)}</dd></div><div><dt>Expected</dt><dd>${xml(visible(expected))}</dd></div>
<div><dt>Got</dt><dd>${xml(visible(got))}</dd></div></dl>
${seen.length > 0 ? `<h4>Seen</h4><pre>${seen.map((line) => xml(visible(line))).join("\n")}</pre>` : ""}
${left > 0 ? `<p>${left} exchanges before these are in the JSON report.</p>` : ""}
${exchanges.slice(-shownExchanges).map(exchanged).join("\n")}
</details>`;
}

function exchanged(exchange: Exchange): string {
  const { method, url, request, response, ms } = exchange;
  const answer = response === null ? "no answer" : String(response.status);
  const came = response === null ? "" : [...headerLines(response.headers), "", response.body].join("\n");
  const sent = [`${method} ${url}`, ...headerLines(request.headers), "", request.body].join("\n");
  return `<details class="exchange">
<summary><code>${xml(method)} ${xml(url)}</code> → <strong>${answer}</strong> <span class="ms">${time(ms)}</span></summary>
<h4>Sent</h4><pre>${xml(lines(sent))}</pre>
${came.trim() === "" ? "" : `<h4>Came</h4><pre>${xml(lines(came))}</pre>`}
<h4>Again</h4><pre>${xml(repeatLine(exchange))}</pre>
</details>`;
}

/** Of a body with bytes that are no text. */
const lines = (text: string): string => text.split("\n").map(visible).join("\n").trimEnd();

function skips(outcomes: readonly Outcome[]): string {
  const skipped = outcomes.filter(({ verdict }) => verdict === "skipped");
  const groups = grouped(skipped, ({ reason }) => reason).map(([reason, of]) => {
    const ids = of.map(({ id }) => `<li><code>${xml(id)}</code></li>`).join("");
    return `<details><summary>${of.length}: ${xml(reason)}</summary><ul>${ids}</ul></details>`;
  });
  return `<section id="skips"><h2>Skipped, and why</h2>\n${groups.join("\n")}\n</section>`;
}

function family(name: string, of: readonly Outcome[]): string {
  const { all, passed, failed, skipped } = tally(of);
  const counts = [`${passed} of ${all} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`];
  const rows = of.map(({ id, title, clause, verdict, ms, reason }) => {
    const why = reason === "" ? "" : `<br><span class="why">${xml(visible(reason))}</span>`;
    return `<tr data-check data-verdict="${verdict}"><td class="${verdict}">${verdict}</td><td>${xml(title)}<br><code>${xml(id)}</code>${why}</td><td>${xml(clause)}</td><td class="ms">${time(ms)}</td></tr>`;
  });
  return `<details class="family"><summary>${xml(name)} <span class="ms">${counts.filter(Boolean).join(", ")}</span></summary>
<table><thead><tr><th scope="col">Verdict</th><th scope="col">Check</th><th scope="col">Clause</th><th scope="col">Time</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table></details>`;
}

function slowest(outcomes: readonly Outcome[]): string {
  const slow = [...outcomes].sort((a, b) => b.ms - a.ms).slice(0, shownSlow);
  const rows = slow.map(({ id, ms }) => `<tr><td><code>${xml(id)}</code></td><td class="ms">${time(ms)}</td></tr>`);
  return `<section><h2>The longest</h2>
<table><thead><tr><th scope="col">Check</th><th scope="col">Time</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></section>`;
}

const time = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
