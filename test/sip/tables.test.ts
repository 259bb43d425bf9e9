/** Hangup causes, and SDP of our own that no wire shows whole. */
import { describe, expect, test } from "@jest/globals";
import { causeOf, causeOfQ850 } from "../../src/engines/causes";
import { LocalSdp, readSdp } from "../../src/engines/embedded/sip/sdp";
import { sdp } from "./phone";

// As a FreeSWITCH 1.10.12 answered an unanswered call that was ended with each.
test.each([
  ["USER_BUSY", 17, 486],
  ["CALL_REJECTED", 21, 603],
  ["NO_ANSWER", 19, 480],
  ["NO_USER_RESPONSE", 18, 408],
  ["UNALLOCATED_NUMBER", 1, 404],
  ["NORMAL_CLEARING", 16, 480],
  ["NORMAL_UNSPECIFIED", 31, 480],
  ["NORMAL_TEMPORARY_FAILURE", 41, 503],
  ["NO_ROUTE_DESTINATION", 3, 404],
  ["SYSTEM_SHUTDOWN", 16, 480],
  ["SERVICE_UNAVAILABLE", 63, 480],
  ["RECOVERY_ON_TIMER_EXPIRE", 102, 504],
  ["INCOMPATIBLE_DESTINATION", 88, 488],
  ["DESTINATION_OUT_OF_ORDER", 27, 502],
  ["EXCHANGE_ROUTING_ERROR", 25, 483],
  ["MEDIA_TIMEOUT", 16, 480],
  ["ORIGINATOR_CANCEL", 16, 487],
] as const)("%s is %d and %d", (name, q850, sip) => {
  expect(causeOf(name)).toEqual({ name, q850, sip });
  if (q850 !== 16 || name === "NORMAL_CLEARING") expect(causeOfQ850(q850).name).toBe(name);
});

test("a code without a name", () => {
  expect(causeOfQ850(120)).toEqual({ name: "NORMAL_UNSPECIFIED", q850: 120, sip: 480 });
});

describe("our SDP", () => {
  test("an answer, whole", () => {
    const offer = readSdp(Buffer.from(sdp(["a=ptime:30", "a=sendonly"], "8 101")), 4);
    if (!offer) throw new Error("not taken");
    const text = new LocalSdp({ address: "127.0.0.1", port: 30_000 }, null).answer(offer);
    expect(text.replace(/^o=- \d+ /m, "o=- 7 ")).toBe(
      [
        ...["v=0", "o=- 7 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 30000 RTP/AVP 8 101"],
        ...[
          "a=rtpmap:8 PCMA/8000",
          "a=rtpmap:101 telephone-event/8000",
          "a=fmtp:101 0-15",
          "a=ptime:30",
          "a=recvonly",
          "",
        ],
      ].join("\r\n"),
    );
  });

  test("IPv6, ours and theirs, and a name for the outside", () => {
    const offer = readSdp(Buffer.from(sdp().replace("c=IN IP4 127.0.0.1", "c=IN IP6 2001:db8::1")), 6);
    expect(offer?.remote).toMatchObject({ address: "2001:db8::1", send: true });
    const local = { address: "::1", port: 30_000 };
    expect(new LocalSdp(local, null).offer()).toContain("c=IN IP6 ::1\r\n");
    expect(new LocalSdp(local, "gw.example.org").offer()).toContain("c=IN IP4 gw.example.org\r\n");
    expect(readSdp(Buffer.from(sdp().replace("c=IN IP4 127.0.0.1", "c=IN IP6 ff02::1")), 6)).toBeNull();
    expect(readSdp(Buffer.from(sdp().replace("c=IN IP4 127.0.0.1", "c=IN IP6 ::")), 6)?.remote.send).toBe(false);
  });

  test("a version that counts changes only", () => {
    const local = new LocalSdp({ address: "127.0.0.1", port: 30_000 }, null);
    const version = (text: string) => Number(/^o=- \d+ (\d+)/m.exec(text)?.[1]);
    expect([local.offer(), local.offer()].map(version)).toEqual([1, 1]);
    const held = readSdp(Buffer.from(sdp(["a=inactive"])), 4);
    if (!held) throw new Error("not taken");
    expect([local.answer(held), local.answer(held), local.offer()].map(version)).toEqual([2, 2, 3]);
  });

  test("direction and address of the session hold for lines without their own", () => {
    const text = sdp([]).replace("t=0 0", "t=0 0\r\na=inactive").replace("a=rtpmap", "c=IN IP4 127.0.0.9\r\na=rtpmap");
    expect(readSdp(Buffer.from(text), 4)?.remote).toMatchObject({ address: "127.0.0.9", send: false, receive: false });
  });
});
