import { describe, expect, test } from "@jest/globals";
import { admitted, appPut, commandOf, digestOf, eachTime, type Make, receiver, requestOf, sessionOf } from "../samples";

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

    test("all are listed, unknown ones are not found", async () => {
      const { store } = subject();
      expect(await store.apps()).toEqual([]);
      expect(await store.app("acme")).toBeNull();
      await store.putApp(appPut("acme"));
      await store.putApp(appPut("other"));
      expect((await store.apps()).map((app) => app.app_id).sort()).toEqual(["acme", "other"]);
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

  describe("deletion", () => {
    test("the key and the numbers stop at once, and the app is not found", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { dids: ["100"] }));
      expect(await store.closeApp("acme")).toEqual([]);
      expect(await store.app("acme")).toBeNull();
      expect(await store.apps()).toEqual([]);
      expect(await store.authenticate("acme", digestOf("acme"))).toBe(false);
      expect(await store.admit(requestOf())).toEqual({ outcome: "key" });
      expect(await store.appForDid("100")).toBeNull();
      expect(await store.rotateSecret("acme", "secret", 1000)).toBe(false);
      expect(await store.createSession(sessionOf("late"), [])).toBe(false);
      expect((await store.putApp(appPut("other", { dids: ["100"] }))).outcome).toBe("created");
    });

    test("its live calls are told, and can still be ended", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme"));
      await store.createSession(sessionOf("one"), []);
      await store.createSession(sessionOf("two"), []);
      expect([...((await store.closeApp("acme")) ?? [])].sort()).toEqual(["one", "two"]);
      const one = await store.load("one");
      expect(one?.app.app_id).toBe("acme");
      const session = sessionOf("one", { state: "ended" });
      const commit = { session_uuid: "one", app_id: "acme", version: one?.version ?? 0, nonce: "n", session };
      expect(await store.commit({ ...commit, events: [], decided: [] })).toBe("committed");
      expect(await store.closeApp("acme")).toEqual(["two"]);
    });

    test("a repeat does not free a number that another app has taken since", async () => {
      const { store } = subject();
      await store.putApp(appPut("acme", { dids: ["100"] }));
      await store.closeApp("acme");
      await store.putApp(appPut("other", { dids: ["100"] }));
      await store.closeApp("acme");
      expect((await store.appForDid("100"))?.app_id).toBe("other");
      await store.removeApp("acme");
      expect((await store.appForDid("100"))?.app_id).toBe("other");
    });

    test("an unknown app, and one that is gone, is none", async () => {
      const { store } = subject();
      expect(await store.closeApp("acme")).toBeNull();
      await store.putApp(appPut("acme"));
      await store.closeApp("acme");
      await store.removeApp("acme");
      expect(await store.closeApp("acme")).toBeNull();
    });

    test("removing takes everything, the pending operations included", async () => {
      const { store, advance } = subject();
      await store.putApp(appPut("acme"));
      await store.createSession(sessionOf("call"), []);
      await admitted(store, "call", commandOf());
      await store.closeApp("acme");
      await store.removeApp("acme");
      expect(await store.load("call")).toBeNull();
      await advance(10_000);
      expect(await store.overdue(10)).toEqual([]);
      await store.putApp(appPut("acme"));
      expect(await store.sessions("acme", 10, null)).toEqual({ sessions: [], next: null });
      expect((await store.admit(requestOf({ session_uuid: "call" }))).outcome).toBe("gone");
    });

    test("an app that is made anew meanwhile has nothing of the old one, and the old deletion does not touch it", async () => {
      const { store, advance } = subject();
      await store.putApp(appPut("acme", { dids: ["100"] }));
      await store.createSession(sessionOf("old"), []);
      await store.closeApp("acme");
      await advance(5);
      const made = await store.putApp({ ...appPut("acme", { dids: ["200"] }), digest: "new" });
      expect(made).toMatchObject({ outcome: "created", app: { created_at: await store.now(), dids: ["200"] } });
      expect(await store.load("old")).toBeNull();
      await store.removeApp("acme");
      expect(await store.app("acme")).toMatchObject({ webhook_url: receiver });
      expect(await store.authenticate("acme", "new")).toBe(true);
      expect((await store.appForDid("200"))?.app_id).toBe("acme");
    });
  });
}
