/** Addresses of clients, as far as one request cannot show them. */
import { expect, test } from "@jest/globals";
import { Proxies, peerAddress } from "../../src/api/address";
import { readConfig } from "../../src/config";

test("a peer has one address, and one even when it was gone at once", () => {
  expect(["::ffff:192.0.2.1", "2001:db8::1", undefined].map(peerAddress)).toEqual([
    "192.0.2.1",
    "2001:db8::1",
    "unknown",
  ]);
});

test.each([
  ["10.0.0.0/8", "10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "11.1.2.3", false],
  ["2001:db8::/32", "2001:db8::1", true],
  ["0.0.0.0/0", "unknown", false],
])("who trusts %s trusts %s: %s", (TRUST_PROXY, address, trusted) => {
  expect(new Proxies(readConfig({ TRUST_PROXY }).TRUST_PROXY ?? []).trusts(address)).toBe(trusted);
});

test("addresses of clients come in one spelling", () => {
  const proxies = new Proxies(readConfig({ TRUST_PROXY: "10.0.0.0/8" }).TRUST_PROXY ?? []);
  const client = (forwarded: string) => proxies.client("10.0.0.1", forwarded);
  expect(client("2001:DB8:0:0::1")).toBe("2001:db8::1");
  expect(client("192.0.2.9, ::ffff:192.0.2.1, ::ffff:10.0.0.2")).toBe("192.0.2.1");
  expect(client("nonsense, 10.0.0.3")).toBe("10.0.0.3");
});
