import { describe, expect, test } from "@jest/globals";
import { newOperation, type Place, play, run } from "../suite";

/** Beginning, answer and end of a call. */
export function callRules(place: () => Place): void {
  describe("calls", () => {
    test("a call is offered once, under a session of this node", async () => {
      const { engine, recorder, call } = place();
      const session_uuid = await call([]);
      const offers = recorder.offers.filter((offer) => offer.session_uuid === session_uuid);
      expect(offers).toEqual([{ session_uuid, caller_id: "4930123", did: "1000", app_id: null }]);
      expect(engine.node).toMatch(/^[A-Za-z0-9]{1,16}$/);
      expect(session_uuid).toMatch(
        new RegExp(`^${engine.node}-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
      );
      expect(engine.connected()).toBe(true);
    });

    test("answer confirms its operation; a second answer only confirms its own", async () => {
      const { recorder, call } = place();
      const session_uuid = await call([]);
      const first = await run(place(), "answer", session_uuid, {});
      const second = await run(place(), "answer", session_uuid, {});
      await recorder.event(session_uuid, "answered", 2);
      expect(recorder.of(session_uuid)).toEqual([
        { session_uuid, type: "answered", operation_id: first.operation_id },
        { session_uuid, type: "answered", operation_id: second.operation_id },
      ]);
    });

    test("hangup of an answered call: the cause, and no SIP status", async () => {
      const { recorder, call } = place();
      const session_uuid = await call([]);
      await run(place(), "answer", session_uuid, {});
      await run(place(), "hangup", session_uuid, { cause: "USER_BUSY" });
      expect(await recorder.event(session_uuid, "hangup")).toEqual({
        session_uuid,
        type: "hangup",
        cause: "USER_BUSY",
        q850_cause: 17,
        sip_status: null,
        by: "app",
      });
    });

    test.each([
      ["USER_BUSY", 17, 486],
      ["CALL_REJECTED", 21, 603],
      ["NORMAL_CLEARING", 16, 480],
    ] as const)("hangup of an unanswered call with %s: its SIP status", async (cause, q850_cause, sip_status) => {
      const { recorder, call } = place();
      const session_uuid = await call([]);
      await run(place(), "hangup", session_uuid, { cause });
      expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause, q850_cause, sip_status, by: "app" });
    });

    test("the caller hangs up", async () => {
      const { recorder, call } = place();
      const session_uuid = await call([{ do: "wait_for", event: "call.answered" }, { do: "hangup" }]);
      await run(place(), "answer", session_uuid, {});
      expect(await recorder.event(session_uuid, "hangup")).toMatchObject({
        cause: "NORMAL_CLEARING",
        q850_cause: 16,
        sip_status: null,
        by: "caller",
      });
    });

    test("the caller gives up before the answer", async () => {
      const { recorder, call } = place();
      const session_uuid = await call([{ do: "hangup" }]);
      expect(await recorder.event(session_uuid, "hangup")).toMatchObject({
        cause: "ORIGINATOR_CANCEL",
        sip_status: 487,
        by: "caller",
      });
    });

    test("the gateway ends a call for its own reasons", async () => {
      const { engine, recorder, call } = place();
      const session_uuid = await call([]);
      await run(place(), "answer", session_uuid, {});
      engine.end(session_uuid, "APP_DELETED");
      expect(await recorder.event(session_uuid, "hangup")).toMatchObject({
        cause: "APP_DELETED",
        sip_status: null,
        by: "gateway",
      });
      engine.end(session_uuid, "APP_DELETED");
      engine.end("nobody-knows-it", "APP_DELETED");
      expect(recorder.types(session_uuid)).toEqual(["answered", "hangup"]);
    });

    test("an ended call, like an unknown one, is gone for every command", async () => {
      const { engine, recorder, files, call } = place();
      const session_uuid = await call([]);
      await run(place(), "hangup", session_uuid, { cause: "NORMAL_CLEARING" });
      await recorder.event(session_uuid, "hangup");
      const gone = { name: "Refused", refusal: "gone" };
      for (const id of [session_uuid, `${engine.node}-${newOperation().operation_id}`]) {
        await expect(run(place(), "answer", id, {})).rejects.toMatchObject(gone);
        await expect(run(place(), "hangup", id, { cause: "NORMAL_CLEARING" })).rejects.toMatchObject(gone);
        await expect(run(place(), "disconnect", id, {})).rejects.toMatchObject(gone);
        await expect(run(place(), "stopPlayback", id, {})).rejects.toMatchObject(gone);
        await expect(play(place(), id, files.tone(100))).rejects.toMatchObject(gone);
      }
      engine.cancel(session_uuid, newOperation().operation_id);
      expect(recorder.types(session_uuid)).toEqual(["hangup"]);
    });
  });
}
