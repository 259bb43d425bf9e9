import { describe, expect, test } from "@jest/globals";
import type { AdmissionRequest, Guard } from "../../../src/store/store";
import {
  admit,
  admitRoom,
  admitted,
  appPut,
  commandOf,
  decided,
  decidedRoom,
  eachTime,
  ended,
  endedRoom,
  eventOf,
  loaded,
  loadedRoom,
  type Make,
  memberOf,
  requestOf,
  roomOf,
  sessionOf,
  withUid,
} from "../samples";

const ringing: readonly Guard[] = [{ field: "state", one_of: ["ringing"], error: "session_not_answered" }];
const cooldown = { group: "heavy", ms: 2000 };

/** Which check comes before which, in one admission. */
export function checkRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    const { store } = made;
    await store.putApp(appPut("acme", { rate_limit: 50 }));
    await store.putApp(appPut("other"));
    await store.createSession(sessionOf("call"), []);
    await store.createSession(sessionOf("foreign", { app_id: "other" }), []);
    await store.createRoom(roomOf("room"));
    await store.createRoom(roomOf("foreign room", { app_id: "other" }));
    return made;
  });

  async function asked(...requests: Partial<AdmissionRequest>[]): Promise<string[]> {
    const outcomes: string[] = [];
    for (const request of requests) {
      const answer = await subject().store.admit(requestOf(request));
      outcomes.push(answer.outcome === "refused" ? answer.error : answer.outcome);
    }
    return outcomes;
  }

  /** A command that would be refused by each check, and what is left of it when the checks are met one by one. */
  const last = (uid: string) => ({
    used: withUid(uid, { fingerprint: "another", barred: "recording_not_available", guards: ringing, cooldown }),
    replay: withUid(uid, { barred: "recording_not_available", guards: ringing, cooldown }),
    barred: commandOf({ barred: "recording_not_available", guards: ringing, cooldown }),
    guarded: commandOf({ guards: ringing, cooldown }),
    cooled: commandOf({ cooldown }),
  });

  test("of a command of a call: the first that fails decides", async () => {
    const { store } = subject();
    await decided(store, "call", withUid("decided", { cooldown }), 202);
    await admitted(store, "call", withUid("busy"));
    const { used, replay, barred, guarded, cooled } = last("decided");
    const all = { session_uuid: "call", command: used };
    const spent = { address: "192.0.2.9" };
    for (let i = 0; i < 50; i++) await store.admit(requestOf(spent));
    expect(
      await asked(
        { ...all, ...spent, digest: "wrong", held: true },
        { ...all, ...spent, held: true },
        { ...all, session_uuid: "none", held: true },
        { ...all, session_uuid: "none" },
        { ...all, session_uuid: "foreign" },
        all,
        { ...all, command: { ...replay, command_uid: "busy" } },
        { ...all, command: replay },
        { ...all, command: barred },
        { ...all, command: guarded },
        { ...all, command: cooled },
        { ...all, command: commandOf() },
      ),
    ).toEqual([
      ...["key", "quota", "held", "session_gone", "session_foreign", "uid_used", "uid_busy", "replay"],
      ...["recording_not_available", "session_not_answered", "cooldown", "admitted"],
    ]);
  });

  test("of a command of a room: the same, and guards of calls say nothing about it", async () => {
    const { store } = subject();
    await decidedRoom(store, "room", withUid("decided", { cooldown }), 202);
    const { used, replay, barred, guarded, cooled } = last("decided");
    const all = { room_id: "room", command: used };
    expect(
      await asked(
        { ...all, room_id: "none", held: true },
        { ...all, room_id: "none" },
        { ...all, room_id: "foreign room" },
        all,
        { ...all, command: replay },
        { ...all, command: barred },
        { ...all, command: guarded },
        { ...all, command: { ...cooled, cooldown: null } },
      ),
    ).toEqual([
      ...["held", "room_gone", "room_foreign", "uid_used", "replay", "recording_not_available", "cooldown", "admitted"],
    ]);
  });

  test("of a command that names both: the call, the room, then the uid of the call", async () => {
    const { store } = subject();
    await decided(store, "call", withUid("uid", { cooldown }), 202);
    const { used, replay, guarded, cooled } = last("uid");
    const both = { session_uuid: "call", room_id: "room", command: used };
    expect(
      await asked(
        { ...both, session_uuid: "none", room_id: "none" },
        { ...both, session_uuid: "foreign", room_id: "none" },
        { ...both, room_id: "none" },
        { ...both, room_id: "foreign room" },
        both,
        { ...both, command: replay },
        { ...both, command: guarded },
        { ...both, command: cooled },
      ),
    ).toEqual([
      ...["session_gone", "session_foreign", "room_gone", "room_foreign", "uid_used", "replay"],
      ...["session_not_answered", "cooldown"],
    ]);
  });

  test("a room is no call, and a call no room: neither one's own, nor a foreign one, nor what is left of one", async () => {
    const { store } = subject();
    for (const [id, uuid] of [
      ["room", "call"],
      ["foreign room", "foreign"],
    ] as const) {
      expect(
        await asked(
          ...[{ session_uuid: id }, { session_uuid: id, ended: true }, { session_uuid: id, command: commandOf() }],
          ...[{ room_id: uuid }, { room_id: uuid, ended: true }, { room_id: uuid, command: commandOf() }],
        ),
      ).toEqual([...Array(3).fill("session_gone"), ...Array(3).fill("room_gone")]);
    }
    await ended(store, "call", [eventOf(1, "call.hangup")]);
    await endedRoom(store, "room", [eventOf(1, "conference.destroyed", { id: "destroyed" })]);
    const over = { ended: true };
    expect(
      await asked(
        ...[
          { session_uuid: "call", ...over },
          { room_id: "room", ...over },
        ],
        ...[
          { session_uuid: "room", ...over },
          { room_id: "call", ...over },
        ],
      ),
    ).toEqual(["admitted", "admitted", "session_gone", "room_gone"]);
  });

  test("a command that names both is the call's: its operation, its uid, its window", async () => {
    const { store } = subject();
    const before = await loadedRoom(store, "room");
    const join = withUid("uid", { cooldown });
    const answer = await store.admit(requestOf({ session_uuid: "call", room_id: "room", command: join }));
    expect(answer).toMatchObject({ outcome: "admitted", session: await loaded(store, "call"), room: before });
    expect((await loaded(store, "call")).state.operations).toMatchObject([{ operation_id: join.operation_id }]);
    expect(await loadedRoom(store, "room")).toEqual(before);
    expect((await admitRoom(store, "room", withUid("uid", { cooldown }))).outcome).toBe("admitted");
    expect((await admit(store, "call", withUid("uid"))).outcome).toBe("uid_busy");
    // Sent again after the room went: its own operation is pending, so the answer is the same.
    await store.commit({ ...(await closing()), id: "room" });
    const again = await store.admit(requestOf({ session_uuid: "call", room_id: "room", command: join }));
    expect(again).toMatchObject({ outcome: "admitted", session: { version: 2 } });

    async function closing() {
      const { state, version, revision } = await loadedRoom(store, "room");
      const more = {
        app_id: "acme",
        nonce: "nonce",
        revision,
        fence: null,
        life: "closing" as const,
        events: [],
        decided: [],
      };
      return { ...more, id: "room", version, state: { ...state, state: "closing" as const } };
    }
  });

  test("a uid that an ended call remembers is asked before the room", async () => {
    const { store } = subject();
    await decided(store, "call", withUid("uid"), 202);
    await ended(store, "call");
    const join = { session_uuid: "call", room_id: "none" };
    expect(await asked({ ...join, command: withUid("uid") }, { ...join, command: withUid("new") })).toEqual([
      "replay",
      "session_gone",
    ]);
  });

  describe("guards", () => {
    const guardsOf = (field: Guard["field"], one_of: Guard["one_of"]): readonly Guard[] => [
      { field, one_of, error: "recording_in_progress" },
    ];
    const recording = { command_uid: "uid", recording_id: "recording", started_at: 1 };
    test.each([
      ["state", ["ringing", "early"], { state: "early" }, { state: "answered" }],
      ["state", ["handed_back"], { state: "handed_back" }, { state: "ringing" }],
      ["node", ["one"], { node: "one" }, { node: "two" }],
      ["room_id", ["room"], memberOf("room"), memberOf("another")],
      ["room_id", [null, "room"], { room: null }, memberOf("another")],
      ["muted", [true], memberOf("room", 1, true), memberOf("room", 1, false)],
      ["muted", [false], { room: null }, memberOf("room", 1, true)],
      ["recording", [true], { recording }, { recording: null }],
      ["recording", [false], { unfinished: [recording] }, { recording }],
    ] as const)("%s one of %j", async (field, values, holds, fails) => {
      const { store } = subject();
      await store.createSession(sessionOf("holds", holds), []);
      await store.createSession(sessionOf("fails", fails), []);
      const refused = { outcome: "refused", error: "recording_in_progress" };
      expect((await admit(store, "holds", commandOf({ guards: guardsOf(field, values) }))).outcome).toBe("admitted");
      expect(await admit(store, "fails", commandOf({ guards: guardsOf(field, values) }))).toMatchObject(refused);
      // The same values the other way round.
      const none: Guard = { field, none_of: values, error: "recording_in_progress" };
      expect(await admit(store, "holds", commandOf({ guards: [none] }))).toMatchObject(refused);
      expect((await admit(store, "fails", commandOf({ guards: [none] }))).outcome).toBe("admitted");
      expect((await loaded(store, "holds")).state.operations).toHaveLength(1);
    });

    test("the first that fails says why, and nothing is pending then", async () => {
      const { store } = subject();
      const guards: readonly Guard[] = [
        { field: "state", none_of: ["handed_back"], error: "session_handed_back" },
        { field: "state", one_of: ["ringing"], error: "session_not_answered" },
        { field: "room_id", none_of: [null], error: "session_not_in_conference" },
      ];
      expect(await asked({ session_uuid: "call", command: commandOf({ guards }) })).toEqual(["session_not_answered"]);
      expect((await loaded(store, "call")).state.operations).toEqual([]);
    });
  });
}
