import { expect, test } from "@jest/globals";
import type { Guard } from "../../scripts/spec/document";
import { after, command, type Draft, drop, policyAfter, roomCommand } from "./draft";

/** What the lint must say of a guard of the table, and the guard of which it must. */
const definitions: [string, Partial<Guard>][] = [
  ["needs values, either in one_of or in none_of", { one_of: undefined }],
  ["needs values, either in one_of or in none_of", { one_of: [] }],
  ["needs values, either in one_of or in none_of", { none_of: ["ringing"] }],
  ['state is never "answred"', { one_of: ["answered", "answred"] }],
  ["state is never null", { one_of: undefined, none_of: [null] }],
  ['muted is never "answered"', { field: "muted" }],
  ['room_id is never "answered"', { field: "room_id" }],
  ['recording is never "$room_id"', { field: "recording", one_of: ["$room_id"] }],
  ['node is never "$room_id"', { field: "node", one_of: ["$room_id"] }],
  ["session_not_found is no 409 of step 12", { error: "session_not_found" }],
  ["command_uid_reused is no 409 of step 12", { error: "command_uid_reused" }],
];

test.each(definitions)("%s: %j", async (said, change) => {
  const found = await after(({ document, guard }) => {
    document["x-guards"].answered = { ...guard("answered"), ...change };
  });
  expect(found).toContain(`x-guards: answered: ${said}`);
});

/** Guards stand at commands of sessions: what the lint must say, and the change after which it must. */
const uses: [string, (draft: Draft) => void][] = [
  [
    "x-guards: answered: a session has no field mood",
    ({ guard }) => {
      Object.assign(guard("answered"), { field: "mood" });
    },
  ],
  [
    "x-guards: no operation has spare",
    ({ document, guard }) => {
      document["x-guards"].spare = guard("answered");
    },
  ],
  [
    "getSession: x-guards are for commands of sessions",
    ({ operation }) => {
      operation("/api/v1/sessions/{uuid}", "get")["x-guards"] = ["answered"];
    },
  ],
  [
    "playRoom: x-guards are for commands of sessions",
    ({ operation }) => {
      operation(roomCommand("play"))["x-guards"] = ["not_handed_back"];
    },
  ],
  [
    "joinRoom: the first guard of a session command is not_handed_back",
    ({ operation }) => {
      const join = operation(command("conference/join"));
      join["x-guards"] = drop(join["x-guards"], "not_handed_back");
    },
  ],
  [
    "answer: the first guard of a session command is not_handed_back",
    ({ operation }) => {
      delete operation(command("answer"))["x-guards"];
    },
  ],
  [
    "leaveRoom: guard in_no_other_room compares with a room that the body does not name",
    ({ operation }) => operation(command("conference/leave"))["x-guards"]?.push("in_no_other_room"),
  ],
  [
    "leaveRoom: guard same_node compares with a room that the body does not name",
    ({ operation }) => operation(command("conference/leave"))["x-guards"]?.push("same_node"),
  ],
];

test.each(uses)("%s", async (said, change) => {
  expect(await after(change)).toContain(said);
});

test("a guard that the table does not have", async () => {
  const change = ({ operation }: Draft) => operation(command("answer"))["x-guards"]?.push("sober");
  await expect(after(change)).rejects.toThrow('answer: x-guards has no "sober"');
});

test("guards are resolved, and their errors are declared, in the order in which the operation names them", async () => {
  const ordered = async (names: string[]) => {
    const { guards, failures } = await policyAfter("joinRoom", ({ operation }) => {
      operation(command("conference/join"))["x-guards"] = names;
    });
    const errors = guards.map((guard) => guard.error);
    expect(failures.filter((code) => errors.includes(code))).toEqual(errors);
    expect(failures.indexOf("not_supported")).toBeLessThan(failures.indexOf(errors[0] ?? ""));
    expect(failures.indexOf(errors.at(-1) ?? "")).toBeLessThan(failures.indexOf("command_rate_limited"));
    return errors;
  };
  expect(await ordered(["not_handed_back", "answered", "in_no_other_room", "same_node"])).toEqual([
    "session_handed_back",
    "session_not_answered",
    "session_in_other_room",
    "room_on_other_node",
  ]);
  // Not as the catalogue has them.
  expect(await ordered(["same_node", "answered"])).toEqual(["room_on_other_node", "session_not_answered"]);
  expect((await policyAfter("joinRoom")).guards[2]).toEqual({
    field: "room_id",
    one_of: [null, "$room_id"],
    error: "session_in_other_room",
  });
});
