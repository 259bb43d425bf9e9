/** A report with everything in it that a form of it could stumble over. */
import type { Exchange, Outcome, Report } from "../../../src/conformance/check";
import type { Secret } from "../../../src/conformance/report/mask";

export const adminKey = "an-admin-key-of-the-operator";
export const appKey = "an-api-key-of-the-operator";
export const signingSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

export const secrets: readonly Secret[] = [
  { name: "ADMIN_API_KEY", value: adminKey },
  { name: "VOICEGATE_API_KEY", value: appKey },
];

export const odd = `it's "odd": <b>&amp; \\ % $HOME \`ls\` é 日本 👩‍👩‍👧 \u0001\u001b[31m\u0000\ufffe`;

export function exchange(more: Partial<Exchange> = {}): Exchange {
  return {
    method: "POST",
    url: "http://127.0.0.1:8080/admin/apps/a",
    request: {
      headers: { "X-Admin-API-Key": adminKey, "X-API-Key": appKey, "Content-Type": "application/json" },
      body: JSON.stringify({ api_key: appKey, text: odd }),
    },
    response: {
      status: 200,
      headers: { "content-type": "application/json", "set-cookie": ["a=1", "b=2"] },
      body: JSON.stringify({ webhook_secret: signingSecret, api_key: appKey, text: odd }),
    },
    ms: 12,
    ...more,
  };
}

const outcome = (id: string, verdict: Outcome["verdict"], more: Partial<Outcome> = {}): Outcome => {
  return { id, title: `What holds of ${id}`, clause: "A clause", verdict, ms: 10, reason: "", evidence: null, ...more };
};

export function sample(): Report {
  return {
    side: "gateway",
    target: "http://127.0.0.1:8080",
    profile: "full",
    contract: "0.1.0",
    started: "2026-01-31T12:00:00.000Z",
    ms: 61_234,
    outcomes: [
      outcome("errors/one", "passed"),
      outcome("errors/two", "failed", {
        reason: `expected ${odd}, got ${adminKey}`,
        evidence: { expected: odd, got: adminKey, seen: [`seen ${appKey}`], exchanges: [exchange(), exchange()] },
      }),
      outcome("errors/three", "failed", { reason: "it threw" }),
      outcome("order/one", "skipped", { reason: "There is no recording." }),
      outcome("order/two", "skipped", { reason: "There is no recording." }),
      outcome("order/three", "passed", { ms: 2500 }),
      outcome("last/raw", "failed", {
        reason: "no answer",
        evidence: { expected: "400", got: "nothing", exchanges: [exchange({ response: null })] },
      }),
    ],
    remarks: [`It was slow: ${appKey}`],
  };
}
