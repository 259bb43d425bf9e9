/** What the gateway signs is verified with nothing but web globals, and nothing else is. */
import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { verifyWebhook, type WebhookHeaders, WebhookVerificationError } from "../../src/client";
import { newSecret, sign } from "../../src/webhooks/signature";

const now = 1_700_000_000_000;
const secret = newSecret();
const frame = { sequence: 3, timestamp: "2025-03-01T12:00:00.000Z", app_id: "a" };
const body = JSON.stringify({
  event: "dtmf",
  session_uuid: "u",
  ...frame,
  data: { digit: "5", duration_ms: 80, name: "ü" },
});

const headers = (text = body, secrets = [secret], seconds = now / 1000) => ({
  "webhook-id": "u.3",
  "webhook-timestamp": String(seconds),
  "webhook-signature": sign(secrets, "u.3", seconds, text),
});

const reasonOf = async (given: WebhookHeaders, text: string | Uint8Array = body) => {
  const error = await verifyWebhook(given, text, secret, now).catch((thrown: unknown) => thrown);
  return error instanceof WebhookVerificationError ? [error.reason, error.status] : error;
};

describe("a webhook of the gateway", () => {
  test.each<[string, WebhookHeaders, string | Uint8Array]>([
    ["headers of Node", headers(), body],
    ["headers of fetch", new Headers(headers()), body],
    [
      "names in capitals, a value in a list",
      {
        "Webhook-Id": ["u.3"],
        "WEBHOOK-TIMESTAMP": String(now / 1000),
        "Webhook-Signature": headers()["webhook-signature"],
      },
      body,
    ],
    ["bytes", headers(), Buffer.from(body)],
    ["two secrets", headers(body, [newSecret(), secret]), body],
    ["almost five minutes old", headers(body, [secret], now / 1000 - 300), body],
  ])("%s", async (_what, given, text) => {
    const event = await verifyWebhook(given, text, secret, now);
    expect(event).toEqual({ ...JSON.parse(body), webhookId: "u.3", source: "u", known: true });
  });

  test("is verified with either of two secrets", async () => {
    const other = newSecret();
    expect((await verifyWebhook(headers(body, [other]), body, [secret, other], now)).event).toBe("dtmf");
  });

  test("of an event that this client does not know, and of a room", async () => {
    const unknown = JSON.stringify({ event: "toString", room_id: "r", ...frame, data: {} });
    const event = await verifyWebhook(headers(unknown), unknown, secret, now);
    expect(event).toMatchObject({ known: false, event: "toString", source: "r", sequence: 3 });
  });
});

describe("refused", () => {
  const good = headers();
  const { "webhook-signature": signature } = good;
  test.each<[string, WebhookHeaders, string, string]>([
    ["another secret", headers(body, [newSecret()]), body, "wrong_signature"],
    ["another body", good, `${body} `, "wrong_signature"],
    ["another id", { ...good, "webhook-id": "u.4" }, body, "wrong_signature"],
    ["another version", { ...good, "webhook-signature": signature.replace("v1,", "v2,") }, body, "wrong_signature"],
    ["a shorter signature", { ...good, "webhook-signature": signature.slice(0, -8) }, body, "wrong_signature"],
    ["an empty signature", { ...good, "webhook-signature": "v1," }, body, "wrong_signature"],
    ["no base64", { ...good, "webhook-signature": "v1,%%%" }, body, "wrong_signature"],
    [
      "the good one behind too many",
      { ...good, "webhook-signature": `${"v1,AAAA ".repeat(16)}${signature}` },
      body,
      "wrong_signature",
    ],
    ["no id", { ...good, "webhook-id": undefined }, body, "missing_header"],
    ["two ids", { ...good, "webhook-id": ["u.3", "u.3"] }, body, "missing_header"],
    ["an id in two names", { ...good, "Webhook-ID": "u.3" }, body, "missing_header"],
    ["no time", new Headers({ "webhook-id": "u.3", "webhook-signature": signature }), body, "missing_header"],
    ["a time that is none", { ...good, "webhook-timestamp": "1e9" }, body, "malformed_header"],
    ["too old", headers(body, [secret], now / 1000 - 301), body, "too_old"],
    ["too new", headers(body, [secret], now / 1000 + 301), body, "too_new"],
  ])("%s", async (_what, given, text, reason) => {
    expect(await reasonOf(given, text)).toEqual([reason, 401]);
  });

  test.each(["", "{", "[]", "3", "{}", body.replace('"session_uuid":"u",', ""), body.replace(":3,", ":0.5,")])(
    "a body that is no event: %s",
    async (text) => {
      expect(await reasonOf(headers(text), text)).toEqual(["malformed_body", 400]);
    },
  );

  test("bytes that are no UTF-8", async () => {
    const bytes = Buffer.from([0x7b, 0xff]);
    const key = Buffer.from(secret.slice(6), "base64");
    const value = createHmac("sha256", key)
      .update(`u.3.${now / 1000}.`)
      .update(bytes)
      .digest("base64");
    expect(await reasonOf({ ...headers(), "webhook-signature": `v1,${value}` }, bytes)).toEqual([
      "malformed_body",
      400,
    ]);
  });
});

describe("a mistake of the receiver is no fault of the sender", () => {
  test.each([
    ["empty", ""],
    ["the prefix alone", "whsec_"],
    ["no base64", "whsec_%%%"],
    ["none of none", []],
  ])("a secret: %s", async (_what, wrong) => {
    await expect(verifyWebhook(headers(), body, wrong, now)).rejects.toThrow(/secret/);
  });

  test("a body that was parsed before", async () => {
    await expect(verifyWebhook(headers(), JSON.parse(body), secret, now)).rejects.toThrow("not parsed");
  });
});
