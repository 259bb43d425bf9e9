/** The page of what has changed, from generated/changelog.json. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Change } from "../spec/changes";
import { type Entry, entriesOf } from "../spec/history";
import { type Content, html } from "./html";
import type { Links } from "./links";
import type { Page } from "./page";

/** In this order, those that break first. */
const groups = ["removed", "changed", "added"] as const;

export function changelogPage(root: string, links: Links): Page {
  const entries = entriesOf(readFileSync(path.join(root, "generated/changelog.json"), "utf8"));
  const line = ({ of, about, what, breaking }: Change) =>
    html`<li>${breaking ? html`<b class="breaks">breaking</b> ` : null}${what === "operation" || what === "event" || what === "error" ? `${what} ` : null}${links.code(of)}${about === "" ? null : html` ${about}`}</li>`;
  const list = (entry: Entry, change: (typeof groups)[number]): Content => {
    const changes = entry.changes.filter((one) => one.change === change);
    const inOrder = [...changes].sort((one, other) => Number(other.breaking) - Number(one.breaking));
    const items = html`<ul>${inOrder.map(line)}</ul>`;
    const title = `${change.slice(0, 1).toUpperCase()}${change.slice(1)}: ${changes.length}`;
    if (changes.length === 0) return null;
    return html`<details${changes.length <= 30 ? html` open` : null}><summary>${title}</summary>${items}</details>`;
  };
  return {
    path: "/changelog",
    kind: "list",
    title: "Changes",
    about: "What was added, changed and removed in the contract, and what of it breaks.",
    body: html`<h1>Changes</h1>
<p class="lead">Computed from the contract's own history. <b class="breaks">breaking</b> is what can trip a client or a receiver that was made for the contract as it was before, and ignores what it does not know.</p>
${[...entries].reverse().map((entry) => {
  const breaking = entry.changes.filter((change) => change.breaking).length;
  return html`<section><h2 id="${entry.digest.slice(0, 12)}">${entry.date} <span class="what">version ${entry.version}</span></h2>
<p>${breaking === 0 ? "Nothing breaks." : html`<b class="breaks">${breaking} of ${entry.changes.length} changes break something.</b>`}</p>
${groups.map((change) => list(entry, change))}</section>
`;
})}`,
  };
}
