import { expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { newSecret, sign, verify } from "../../src/webhooks/signature";

const now = 1_700_000_000_000;
const body = '{"event":"dtmf","data":{"digit":"ü"}}';
const secret = newSecret();
const headers = (secrets: readonly string[], seconds = now / 1000): Record<string, string> => ({
  "webhook-id": "evt_1",
  "webhook-timestamp": String(seconds),
  "webhook-signature": sign(secrets, "evt_1", seconds, body),
});

test("a known signature", () => {
  const known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const signature = sign([known], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}');
  // From the documentation of the specification.
  expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
});

test("secrets are 32 random bytes in base64", () => {
  expect(newSecret()).not.toBe(secret);
  expect(Buffer.from(secret.replace(/^whsec_/, ""), "base64")).toHaveLength(32);
});

test("what is signed is verified, here and by standardwebhooks", () => {
  const other = newSecret();
  const seconds = Math.floor(Date.now() / 1000);
  for (const one of [secret, other]) {
    expect(verify(headers([secret, other]), body, one, now)).toBe(true);
    expect(new Webhook(one).verify(body, headers([secret, other], seconds))).toEqual(JSON.parse(body));
  }
  const theirs = new Webhook(secret).sign("evt_1", new Date(now), body);
  expect(verify({ ...headers([secret]), "webhook-signature": theirs }, body, secret, now)).toBe(true);
});

const good = headers([secret]);
const signature = good["webhook-signature"] ?? "";
test.each([
  ["another secret", headers([newSecret()]), body],
  ["another body", good, `${body} `],
  ["another id", { ...good, "webhook-id": "evt_2" }, body],
  ["another time", { ...good, "webhook-timestamp": String(now / 1000 + 1) }, body],
  ["no id", { ...good, "webhook-id": undefined }, body],
  ["no time", { ...good, "webhook-timestamp": undefined }, body],
  ["no signature", { ...good, "webhook-signature": undefined }, body],
  ["several ids", { ...good, "webhook-id": ["evt_1", "evt_1"] }, body],
  ["a time that is none", { ...good, "webhook-timestamp": "NaN" }, body],
  ["another version", { ...good, "webhook-signature": signature.replace("v1,", "v2,") }, body],
  ["no version", { ...good, "webhook-signature": signature.slice(3) }, body],
  ["a shorter signature", { ...good, "webhook-signature": signature.slice(0, -8) }, body],
  ["an empty signature", { ...good, "webhook-signature": "v1," }, body],
  ["more than five minutes ago", headers([secret], now / 1000 - 301), body],
  ["more than five minutes ahead", headers([secret], now / 1000 + 301), body],
])("%s is not verified", (_what, wrong, text) => {
  expect(verify(wrong, text, secret, now)).toBe(false);
});

test("clocks may differ by five minutes", () => {
  expect(verify(headers([secret], now / 1000 - 300), body, secret, now)).toBe(true);
  expect(verify(headers([secret], now / 1000 + 300), body, secret, now)).toBe(true);
});
