/** A webhook endpoint as the gateway meets it. */
import { type Findings, judgeClock, why } from "./finding";
import { reach } from "./reach";

/** A whole attempt of the gateway's may take so long, in ms. */
const attemptMs = 5000;
/** An answer that takes longer holds up the events behind it. */
const slowMs = 1000;

export interface WebhookRules {
  readonly allowHttp: boolean;
  readonly allowLocal: boolean;
}

export async function examineWebhook(text: string, rules: WebhookRules, findings: Findings): Promise<void> {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    findings.wrong(`${JSON.stringify(text)} is no http or https URL.`, "Write https://host/path.");
    return;
  }
  const url = new URL(text);
  if (url.protocol === "http:" && !rules.allowHttp)
    findings.wrong(
      "The gateway sends webhooks to https URLs only.",
      "Use https, or set ALLOW_HTTP_WEBHOOKS=true where that is meant.",
    );
  const local = { allowed: rules.allowLocal, variable: "ALLOW_LOCALHOST_WEBHOOKS" };
  if (await reach(url, findings, { local })) await ask(url, findings);
}

/** What is not signed has to be refused: this is, and it changes nothing where that is so. */
async function ask(url: URL, findings: Findings): Promise<void> {
  const began = performance.now();
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": "voicegate-doctor" },
      body: "{}",
      redirect: "manual",
      signal: AbortSignal.timeout(attemptMs),
    });
    await response.body?.cancel();
  } catch (error) {
    findings.wrong(
      `It does not answer a POST: ${why(error)}.`,
      "Answer within 5 s, before the work that an event asks for.",
    );
    return;
  }
  const ms = Math.round(performance.now() - began);
  if (ms > slowMs)
    findings.warning(
      `It takes ${ms} ms to answer: the next event of a call waits so long.`,
      "Answer first, work then.",
    );
  else findings.good(`It answers a POST in ${ms} ms.`);
  judge(response, findings);
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) judgeClock(findings, "the receiver", date - Date.now(), 1000 + ms);
}

function judge({ status, headers }: Response, findings: Findings): void {
  if (status >= 300 && status < 400)
    findings.wrong(
      `It redirects (${status}) to ${headers.get("location") ?? "somewhere"}: the gateway follows no redirects.`,
      "Set webhook_url to where it leads.",
    );
  else if (status === 404 || status === 405 || status === 410)
    findings.wrong(
      `It answers ${status}: there is no webhook endpoint under this path${status === 410 ? ", and 410 turns an app's webhooks off" : ""}.`,
      "Mend the path of the URL, or let it take POST.",
    );
  else if (status >= 500)
    findings.wrong(
      `It answers ${status} to a request that nobody has signed.`,
      "Answer 401 there: a 5xx is tried again.",
    );
  else if (status >= 200 && status < 300)
    findings.warning(
      `It took a request that nobody has signed (${status}).`,
      "Verify webhook-signature and answer 401 to what does not: anybody can send events otherwise.",
    );
  else findings.good(`It refuses what is not signed (${status}).`);
}
