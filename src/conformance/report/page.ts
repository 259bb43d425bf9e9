/** Style and script of the HTML report. */

export const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #4c5560; --ground: #fff; --line: #d0d7de; --pane: #f4f6f8;
  --failed: #b3151d; --passed: #116329; --skipped: #7a4b00; --link: #0a4fa3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #a9b3be; --ground: #14181d; --line: #38414b;
  --pane: #1d232a; --failed: #ff8a85; --passed: #6fdc8c; --skipped: #f0b95a; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; } h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; }
h3 { display: inline; font-size: 1rem; } h4 { font-size: .85rem; margin: .75rem 0 .25rem; color: var(--soft); }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--pane); border: 1px solid var(--line);
  border-radius: .3rem; padding: .5rem .75rem; margin: 0; }
code { overflow-wrap: anywhere; }
.verdict { display: inline-block; font-size: 1rem; padding: .1rem .6rem; border: 2px solid; border-radius: 1rem; vertical-align: middle; }
.failed { color: var(--failed); } .passed { color: var(--passed); } .skipped { color: var(--skipped); }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0; } dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; } .remarks { color: var(--skipped); }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center; margin-top: 1.5rem; padding: .75rem;
  background: var(--pane); border: 1px solid var(--line); border-radius: .3rem; position: sticky; top: 0; z-index: 1; }
form[hidden] { display: none; }
input[type=search] { font: inherit; width: 22rem; max-width: 100%; padding: .25rem .5rem; color: inherit; background: var(--ground);
  border: 1px solid var(--soft); border-radius: .3rem; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
legend { float: left; margin-right: 1rem; padding: 0; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .3rem .5rem; border-radius: .3rem; }
summary:hover { background: var(--pane); } :focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
.check { border: 1px solid var(--line); border-left: .35rem solid var(--failed); border-radius: .3rem; padding: .25rem .75rem; color: var(--ink); }
.check > summary h3 { color: var(--failed); } .exchange { border-top: 1px solid var(--line); padding: .25rem 0; }
.check dl { margin: .25rem 0 .5rem; } .check dl div { display: flex; gap: 1rem; } .check dt { flex: 0 0 5rem; padding-top: .15rem; }
.family > summary { font-weight: 600; } .ms, .why { color: var(--soft); font-weight: 400; font-size: .9rem; }
table { width: 100%; border-collapse: collapse; } th { text-align: left; font-size: .85rem; color: var(--soft); }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; } td.ms { white-space: nowrap; text-align: right; }
td { overflow-wrap: anywhere; } td:first-child { min-width: 5.5rem; } [hidden] { display: none !important; }
@media (max-width: 40rem) { body { padding: .75rem; } td:nth-child(3), th:nth-child(3) { display: none; } form { position: static; } }
@media print { body { max-width: none; padding: 0; } form { display: none; } .check, tr { break-inside: avoid; } }
`;

/** Hides what does not fit the filter, opens what is looked for, and opens everything for a printer. */
export const script = `
"use strict";
const form = document.getElementById("filter");
const find = document.getElementById("find");
const shown = document.getElementById("shown");
const families = [...document.querySelectorAll(".family")];
const checks = [...document.querySelectorAll("[data-check]")].map((element) => ({
  element, verdict: element.dataset.verdict, text: element.textContent.toLowerCase(), row: element.tagName === "TR",
}));
const apply = () => {
  const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const verdict = new FormData(form).get("verdict");
  let count = 0;
  for (const check of checks) {
    const fits = (verdict === "" || check.verdict === verdict) && words.every((word) => check.text.includes(word));
    check.element.hidden = !fits;
    if (fits && check.row) count++;
  }
  for (const family of families) {
    const rows = family.querySelectorAll("tbody tr:not([hidden])").length;
    family.hidden = rows === 0;
    family.open = rows > 0 && (words.length > 0 || verdict !== "");
  }
  for (const id of ["failures", "skips"]) {
    const section = document.getElementById(id);
    if (section) section.hidden = id === "skips" ? words.length > 0 || (verdict !== "" && verdict !== "skipped")
      : !section.querySelector("[data-check]:not([hidden])");
  }
  shown.textContent = words.length === 0 && verdict === "" ? "" : count + " shown";
};
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll(".family, .exchange, #skips details")) details.open = true;
});
`;
