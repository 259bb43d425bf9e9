import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  encodedRoom,
  encodedSession,
  guardsOf,
  joined,
  memberFacts,
  operationOf,
} from "../../src/store/redis/encoding";
import type { Guard, Operation, PlaybackFacts, RecordingFacts, Room, Session } from "../../src/store/store";
import { commandOf, roomOf, sessionOf } from "./samples";

/** Anything that a caller, a receiver of calls or an operator may write: quotes, controls, halves of surrogate pairs. */
const text = fc.string({
  unit: fc.oneof(fc.constantFrom('"', "\\", "\x1f", "\x1e", "\n", "\ud800", "é"), fc.string()),
});
const whole = fc.nat(4_102_444_800_000);
const orNull = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: null });

const operation: fc.Arbitrary<Operation> = fc.record({
  operation_id: fc.uuid(),
  command: fc.constantFrom("playback/start", "hangup"),
  command_uid: text,
  uid_given: fc.boolean(),
  deadline: whole,
  timeout_ms: whole,
  group: orNull(fc.constantFrom("heavy", "seek")),
  taken: fc.boolean(),
});
const playback: fc.Arbitrary<PlaybackFacts> = fc.record({
  command_uid: text,
  urls: fc.array(text),
  index: fc.nat(),
  offset_ms: whole,
  at: whole,
  started_at: whole,
  paused: fc.boolean(),
});
const recording: fc.Arbitrary<RecordingFacts> = fc.record({
  command_uid: text,
  recording_id: fc.uuid(),
  started_at: whole,
});
const session: fc.Arbitrary<Session> = fc
  .record({
    state: fc.constantFrom("ringing", "early", "answered", "handed_back", "ended"),
    app_id: text,
    caller_id: text,
    did: text,
    created_at: whole,
    answered_at: orNull(whole),
    playback: orNull(playback),
    collecting: orNull(fc.record({ command_uid: text })),
    room: orNull(fc.record({ room_id: fc.uuid(), muted: fc.boolean(), joined_at: whole })),
    recording: orNull(recording),
    unfinished: fc.array(recording),
    operations: fc.array(operation),
    sequence: whole,
  })
  .map((changes) => sessionOf("call", changes));
const room: fc.Arbitrary<Room> = fc
  .record({
    state: fc.constantFrom("opening", "open", "closing", "ended"),
    name: text,
    playback: orNull(fc.record({ volume: fc.integer({ min: -4, max: 4 }), loop: fc.boolean() })).chain((more) =>
      more === null ? fc.constant(null) : playback.map((facts) => ({ ...facts, ...more })),
    ),
    operations: fc.array(operation),
    sequence: whole,
  })
  .map((changes) => roomOf("room", changes));

describe("what is written in Redis is read as it was", () => {
  test("of a call", () => {
    fc.assert(fc.property(session, (each) => expect(JSON.parse(joined(encodedSession(each)))).toEqual(each)));
  });

  test("of a room", () => {
    fc.assert(fc.property(room, (each) => expect(JSON.parse(joined(encodedRoom(each)))).toEqual(each)));
  });

  test("of a command that is admitted: its operation, once its deadline is known", () => {
    fc.assert(
      fc.property(operation, ({ deadline, taken: _, group, ...given }) => {
        const cooldown = group === null ? null : { group, ms: 1 };
        const admitted = operationOf(commandOf({ ...given, cooldown }));
        expect(JSON.parse(`${admitted}${deadline}}`)).toEqual({ ...given, group, deadline, taken: false });
      }),
    );
  });

  test("of a member: what the list of a room tells", () => {
    fc.assert(
      fc.property(session, (each) => {
        const { muted = false, joined_at = 0 } = each.room ?? {};
        expect(memberFacts(encodedSession(each).g)).toEqual({ muted, joined_at, caller_id: each.caller_id });
      }),
    );
  });
});

test("a guard is one guard, whatever its values hold", () => {
  const value = fc.oneof(text, fc.boolean(), fc.constant(null));
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (one_of, none_of) => {
      const guards: readonly Guard[] = [{ field: "room_id", one_of, none_of, error: "room_on_other_node" }];
      const [first, second, ...rest] = guardsOf(guards).split("\x1e");
      expect(first?.split("\x1f")).toHaveLength(one_of.length + 2);
      expect(second?.split("\x1f")).toHaveLength(none_of.length + 2);
      expect(rest).toEqual([""]);
    }),
  );
});
