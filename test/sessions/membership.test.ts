/** A call in a conference: joins, leaves and mutes, in time and late. */
import { describe, expect, test } from "@jest/globals";
import { advance } from "../../src/sessions/session";
import { at, membership, operation, other_room_id, room_id, session, told } from "./facts";

const answered = { state: "answered", answered_at: at } as const;
const member = { ...answered, room: membership } as const;
const joined = { type: "room.joined", operation_id: "o", room_id, muted: true } as const;
const left = { type: "room.left", operation_id: "o", room_id, reason: "left" } as const;
const muted = { type: "room.muted", operation_id: "o", room_id, muted: true } as const;

describe("a join", () => {
  const join = operation("conference/join", "o");

  test("makes a member, and has its result", () => {
    const next = advance(session(answered, join), joined, at + 7);
    expect(next?.state).toMatchObject({ room: { room_id, muted: true, joined_at: at + 7 }, operations: [] });
    expect(next?.publish).toMatchObject([
      {
        event: "conference.member.joined",
        data: { session_uuid: "node-uuid", room_id, caller_id: "1", muted: true },
      },
      { event: "command.result", data: { success: true } },
    ]);
  });

  test("of the room that it is in already only confirms: the member stays as it was", () => {
    const next = advance(session(member, join), joined, at + 7);
    expect(next?.publish).toMatchObject([{ event: "command.result", data: { success: true } }]);
    expect(next?.state.room).toEqual(membership);
  });

  test("of another room ends the membership in the first", () => {
    const before = session({ ...answered, room: { ...membership, room_id: other_room_id } }, join);
    expect(told(before, joined)).toEqual([
      "conference.member.left left",
      "conference.member.joined",
      "command.result conference/join done",
    ]);
  });

  test("that is late is undone and tells nothing", () => {
    const next = advance(session(answered), joined, at);
    expect(next).toMatchObject({ state: { room: null }, publish: [], cancel: ["o"] });
  });

  test("that is late, of the room that it is in already, has begun nothing", () => {
    expect(advance(session(member), joined, at)).toBeNull();
  });

  test("that failed: the room was closed meanwhile", () => {
    expect(told(session(answered, join), { type: "failed", operation_id: "o", error: "Room ended" })).toEqual([
      "command.result conference/join Room ended",
    ]);
  });
});

describe("a leave", () => {
  const leave = operation("conference/leave", "o");

  test("ends the membership, and has its result", () => {
    const next = advance(session(member, leave), left, at);
    expect(next?.state).toMatchObject({ room: null, operations: [] });
    expect(told(session(member, leave), left)).toEqual([
      "conference.member.left left",
      "command.result conference/leave done",
    ]);
  });

  test.each(["removed", "orphan"] as const)("that nobody asked for: %s", (reason) => {
    const before = session(member, leave);
    expect(told(before, { ...left, operation_id: null, reason })).toEqual([`conference.member.left ${reason}`]);
    expect(advance(before, { ...left, operation_id: null, reason }, at)?.state.operations).toHaveLength(1);
  });

  test("that is late has taken place all the same", () => {
    expect(told(session(member), left)).toEqual(["conference.member.left left"]);
    expect(advance(session(member), left, at)).toMatchObject({ state: { room: null }, cancel: [] });
  });

  test("of one who has left already has its result, and nothing else", () => {
    expect(told(session(answered, leave), left)).toEqual(["command.result conference/leave done"]);
    expect(advance(session(answered), left, at)).toBeNull();
  });

  test("of another room leaves the membership alone", () => {
    expect(advance(session(member), { ...left, room_id: other_room_id }, at)).toBeNull();
  });
});

describe("a mute", () => {
  const mute = operation("conference/mute", "o");
  const silent = { ...answered, room: { ...membership, muted: true } } as const;

  test("changes the member, and has its result; unmuting as well", () => {
    expect(told(session(member, mute), muted)).toEqual([
      "conference.member.muted",
      "command.result conference/mute done",
    ]);
    expect(advance(session(member, mute), muted, at)?.state.room).toEqual({ ...membership, muted: true });
    const unmute = session(silent, operation("conference/unmute", "o"));
    expect(told(unmute, { ...muted, muted: false })).toEqual([
      "conference.member.unmuted",
      "command.result conference/unmute done",
    ]);
    expect(advance(unmute, { ...muted, muted: false }, at)?.state.room).toEqual(membership);
  });

  test("that is late is undone and tells nothing", () => {
    const late = advance(session(member), muted, at);
    expect(late).toMatchObject({ state: { room: membership }, publish: [], cancel: ["o"] });
    expect(advance(session(silent), muted, at)).toBeNull();
  });

  test("of one who was so already has its result, and no event", () => {
    expect(told(session(silent, mute), muted)).toEqual(["command.result conference/mute done"]);
  });

  test("of one who has left meanwhile fails", () => {
    expect(told(session(answered, mute), muted)).toEqual(["command.result conference/mute Room ended"]);
    expect(advance(session(answered), muted, at)).toBeNull();
  });
});
