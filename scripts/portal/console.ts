/** The form that sends a request to the gateway that serves the page. What it does is in src/portal/browser/console.ts. */
import type { Json, Operation, Parameter } from "./book";
import { type Content, type Html, html } from "./html";
import { hrefs, method } from "./links";
import { repeatable, shownJson, withSampleFiles } from "./samples";

/** Stands for where the page came from, which only the browser knows. */
const origin = "{origin}";

/**
 * @param step what it is called where several stand on one page
 * @param preset a body in place of the example's
 */
export function requestForm(operation: Operation, step: string | null = null, preset?: Json): Html {
  const { id, policy, parameters, body } = operation;
  const { method: verb, path, auth } = policy;
  const given = preset ?? (body ? repeatable(withSampleFiles(body.example, origin)) : null);
  const fields = parameters.filter(({ in: place }) => place === "path" || place === "query");
  const name = (part: string) => `${id}-${part}`;
  return html`<form class="request" data-operation="${id}" data-method="${verb}" data-path="${path}" data-auth="${auth}" data-emits="${policy.emits.join(" ")}">
<h3>${step ?? html`Send it`}</h3>
<p class="line">${method(verb)} <code>${path}</code>${step === null ? null : html` <a href="${hrefs.operation(id)}">its page</a>`}</p>
${fields.map((parameter) => input(name(parameter.name), parameter))}
${
  body
    ? html`<label for="${name("body")}">Body (JSON)</label>
<textarea id="${name("body")}" name="body" rows="${Math.min(12, shownJson(given).split("\n").length + 1)}" spellcheck="false">${shownJson(given)}</textarea>`
    : null
}
<button type="submit">Send</button>
<div class="answer" role="status" aria-label="Answer" hidden></div>
</form>
`;
}

function input(id: string, { name, in: place, required }: Parameter): Content {
  return html`<label for="${id}">${name} <span class="place">${place}</span></label>
<input id="${id}" name="${name}" data-in="${place}" autocomplete="off" spellcheck="false"${required ? html` required` : null}>
`;
}

/** Credentials, and the events of the app as they come: once on a page, beside its forms. */
export function streamPanel(): Html {
  return html`<section class="live" aria-label="Live events">
<details class="credentials"><summary>Credentials</summary>
<p>Those of the development mode. Changed ones stay in this tab.</p>
<label for="credential-app">X-App-ID</label><input id="credential-app" data-credential="app" autocomplete="off" spellcheck="false">
<label for="credential-key">X-API-Key</label><input id="credential-key" data-credential="key" autocomplete="off" spellcheck="false">
<label for="credential-admin">X-Admin-API-Key</label><input id="credential-admin" data-credential="admin" autocomplete="off" spellcheck="false">
</details>
<h3>Live events</h3>
<p class="state" role="status">The stream opens with the first request.</p>
<ol class="events" aria-label="Events of the app"></ol>
</section>
`;
}

/** Forms on the left, what comes of them on the right. */
export function consoleSection(heading: string, forms: readonly Html[]): Html {
  return html`<section class="try needs-script" id="try">
<h2>${heading}</h2>
<p class="no-script">This part needs JavaScript.</p>
<div class="console"><div class="forms">${forms}</div>${streamPanel()}</div>
</section>
`;
}
