import { describe, expect, test } from "@jest/globals";
import { appPut, digestOf, eachTime, type Make } from "../samples";

export function appRules(make: Make): void {
  const subject = eachTime(make);

  describe("apps", () => {
    test("one is created, shown, and replaced with what is given", async () => {
      const { store, advance } = subject();
      const created_at = await store.now();
      const first = { ...appPut("acme").settings, created_at, webhook_disabled_at: null };
      expect(await store.putApp(appPut("acme"))).toEqual({ outcome: "created", app: first });
      expect(await store.app("acme")).toEqual(first);
      await advance(5);
      const changes = { webhook_url: "", rate_limit: 7, events: ["dtmf" as const], dids: ["100"] };
      expect(await store.putApp(appPut("acme", changes))).toEqual({
        outcome: "replaced",
        app: { ...first, ...changes },
      });
      expect(await store.app("acme")).toEqual({ ...first, ...changes });
    });

    test("all are listed by id, unknown ones are not found", async () => {
      const { store } = subject();
      expect(await store.apps()).toEqual([]);
      expect(await store.app("acme")).toBeNull();
      for (const app_id of ["demo", "zz", "aa", "Z"]) await store.putApp(appPut(app_id));
      expect((await store.apps()).map((app) => app.app_id)).toEqual(["Z", "aa", "demo", "zz"]);
    });

    test("the key stays when an app is replaced without one, and changes at once with one", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme"));
      expect(await store.authenticate("acme", digestOf("acme"))).toBe(true);
      await store.putApp({ ...appPut("acme"), created: { digest: "made up", secret: "made up" } });
      expect(await store.authenticate("acme", digestOf("acme"))).toBe(true);
      expect(await store.authenticate("acme", "made up")).toBe(false);
      await store.putApp({ ...appPut("acme"), digest: "new" });
      expect(await store.authenticate("acme", digestOf("acme"))).toBe(false);
      expect(await store.authenticate("acme", "new")).toBe(true);
      expect(await store.authenticate("other", "new")).toBe(false);
    });

    test("a key that is given at creation is the key", async () => {
      const { store } = subject();
      await store.putApp({ ...appPut("acme"), digest: "chosen" });
      expect(await store.authenticate("acme", "chosen")).toBe(true);
      expect(await store.authenticate("acme", digestOf("acme"))).toBe(false);
    });

    test("a secret is rotated only where there is an app", async () => {
      const { store } = subject();
      expect(await store.rotateSecret("acme", "secret", 1000)).toBe(false);
      await store.putApp(appPut("acme"));
      expect(await store.rotateSecret("acme", "secret", 1000)).toBe(true);
    });
  });

  describe("numbers", () => {
    test("exact beats the longest prefix, and the longest prefix a shorter one", async () => {
      const { store } = subject();
      await store.putApp(appPut("any", { dids: ["*"] }));
      await store.putApp(appPut("country", { dids: ["+49*"] }));
      await store.putApp(appPut("city", { dids: ["+4930*"] }));
      await store.putApp(appPut("desk", { dids: ["+4930123"] }));
      const asked = ["+4930123", "+49301234", "+493012", "+4930", "+4989", "+1", "", "*"];
      const found = await Promise.all(asked.map(async (did) => (await store.appForDid(did))?.app_id));
      expect(found).toEqual(["desk", "city", "city", "city", "country", "any", "any", "any"]);
    });

    test("a number that nobody has is nobody's", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { dids: ["100", "20*"] }));
      expect(await store.appForDid("1000")).toBeNull();
      expect(await store.appForDid("2")).toBeNull();
    });

    test("one that another app holds in the same form is refused, and nothing is changed", async () => {
      const { store } = subject();
      await store.putApp(appPut("other", { dids: ["100", "2*"] }));
      const refused = await store.putApp(appPut("acme", { dids: ["2", "100*", "2*", "100"] }));
      expect(refused).toEqual({ outcome: "did_taken", did: "2*" });
      expect(await store.app("acme")).toBeNull();
      await store.putApp(appPut("acme", { dids: ["300"] }));
      expect(await store.putApp(appPut("acme", { dids: ["400", "100"] }))).toEqual({
        outcome: "did_taken",
        did: "100",
      });
      expect((await store.appForDid("300"))?.app_id).toBe("acme");
      expect(await store.appForDid("400")).toBeNull();
      expect((await store.putApp(appPut("acme", { dids: ["2", "100*"] }))).outcome).toBe("replaced");
    });

    test("those left out of a replacement are free, those kept are still its own", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { dids: ["100", "200"] }));
      await store.putApp(appPut("acme", { dids: ["200"] }));
      expect(await store.appForDid("100")).toBeNull();
      expect((await store.putApp(appPut("other", { dids: ["100"] }))).outcome).toBe("created");
      expect((await store.appForDid("200"))?.app_id).toBe("acme");
    });
  });
}
