import { describe } from "@jest/globals";
import { admissionRules } from "./rules/admission";
import { appRules } from "./rules/apps";
import { checkRules } from "./rules/checks";
import { closingRules } from "./rules/closing";
import { deletionRules } from "./rules/deletion";
import { deliveryRules } from "./rules/delivery";
import { feedRules } from "./rules/feed";
import { fenceRules } from "./rules/fences";
import { leaseRules } from "./rules/leases";
import { letterRules } from "./rules/letters";
import { logRules } from "./rules/log";
import { memberRules } from "./rules/members";
import { outboxRules } from "./rules/outbox";
import { repeatRules } from "./rules/repeats";
import { roomRules } from "./rules/rooms";
import { sessionRules } from "./rules/sessions";
import { uidRules } from "./rules/uids";
import type { Make } from "./samples";

/** What every adapter of the store port must pass; `make` gives a new, empty store and the means to move its clock. */
export function storeSuite(name: string, make: Make): void {
  describe(`${name} store`, () => {
    // Each in a block of its own: the stores of one block are not made for the tests of another.
    describe("tenants", () => appRules(make));
    describe("deletion", () => deletionRules(make));
    describe("admission", () => admissionRules(make));
    describe("checks", () => checkRules(make));
    describe("uids", () => uidRules(make));
    describe("calls", () => sessionRules(make));
    describe("rooms", () => roomRules(make));
    describe("members", () => memberRules(make));
    describe("closing", () => closingRules(make));
    describe("log", () => logRules(make));
    describe("feed", () => feedRules(make));
    describe("leases", () => leaseRules(make));
    describe("fences", () => fenceRules(make));
    describe("outbox", () => outboxRules(make));
    describe("dead letters", () => letterRules(make));
    describe("repeats", () => repeatRules(make));
    describe("delivery", () => deliveryRules(make));
  });
}
