import { describe, expect, test } from "@jest/globals";
import { inNetworks, isForbidden, isForbiddenHost, kindOf, parseNetwork } from "../../src/outbound/addresses";

const kinds = {
  public: [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
  ],
  local: [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
  ],
  never: [
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:0.0.0.0",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b:1::1",
    "64:ff9b::0.0.0.0",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fec0::1",
    "ff02::1",
    "localhost",
    "",
    "0x7f.1",
    "0177.0.0.1",
    "2130706433",
    "127.1",
    "127.0.0.1 ",
    "[::1]",
  ],
} as const;

describe.each(["public", "local", "never"] as const)("%s", (kind) => {
  test.each(kinds[kind].map((address) => [address]))("%j", (address) => {
    expect(kindOf(address)).toBe(kind);
    expect(isForbidden(address)).toBe(kind !== "public");
    expect(isForbidden(address, true)).toBe(kind === "never");
  });
});

test.each([
  ["localhost", true, false],
  ["LOCALHOST.", true, false],
  ["app.localhost", true, false],
  ["notlocalhost", false, false],
  ["localhost.example", false, false],
  ["[::1]", true, false],
  ["[::ffff:7f00:1]", true, false],
  ["[::]", true, true],
  ["127.0.0.1", true, false],
  ["example.com", false, false],
])("host %s of a URL", (host, forbidden, forbiddenWhenLocalIsAllowed) => {
  expect(isForbiddenHost(host)).toBe(forbidden);
  expect(isForbiddenHost(host, true)).toBe(forbiddenWhenLocalIsAllowed);
});

test.each(["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://①②⑦.0.0.1/"])(
  "%s is loopback once it is parsed",
  (url) => {
    expect(isForbiddenHost(new URL(url).hostname)).toBe(true);
  },
);

test.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "11.1.2.3", false],
  ["192.0.2.7", "192.0.2.7", true],
  ["192.0.2.7", "192.0.2.8", false],
  ["2001:db8::/32", "2001:db8:1::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "2001:db8::1", true],
  ["10.0.0.0/8", "not an address", false],
])("network %s, address %s", (network, address, inside) => {
  const parsed = parseNetwork(network);
  expect(parsed).not.toBeNull();
  expect(inNetworks(address, parsed ? [parsed] : [])).toBe(inside);
});

test.each([
  "",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0.0/-1",
  "10.0.0/8",
  "::/129",
  "::ffff:10.0.0.0/8",
  "loopback",
  "10.0.0.0/0x8",
])("%j is no network", (text) => {
  expect(parseNetwork(text)).toBeNull();
});
