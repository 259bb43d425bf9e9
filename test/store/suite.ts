import { describe } from "@jest/globals";
import { admissionRules } from "./rules/admission";
import { appRules } from "./rules/apps";
import { deletionRules } from "./rules/deletion";
import { deliveryRules } from "./rules/delivery";
import { outboxRules } from "./rules/outbox";
import { repeatRules } from "./rules/repeats";
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
    describe("uids", () => uidRules(make));
    describe("calls", () => sessionRules(make));
    describe("outbox", () => outboxRules(make));
    describe("repeats", () => repeatRules(make));
    describe("delivery", () => deliveryRules(make));
  });
}
