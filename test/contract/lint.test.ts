import { expect, test } from "@jest/globals";
import { after, command, type Draft, drop, roomCommand, sure } from "./draft";

/** The rest of the sources: what the lint must say, and the change after which it must. */
const mistakes: [string, (draft: Draft) => void][] = [
  [
    'errors.yaml: "Not found" has two codes, not_found and gone',
    ({ catalogue }) => {
      catalogue.errors.gone = { ...sure(catalogue.errors.not_found) };
    },
  ],
  [
    "errors.yaml: no operation declares app_not_found",
    ({ document }) => {
      for (const { get, post, delete: remove } of Object.values(document.paths))
        for (const operation of [get, post, remove])
          if (operation?.["x-errors"]) operation["x-errors"] = drop(operation["x-errors"], "app_not_found");
    },
  ],
  [
    "errors.yaml: NotThere is not snake_case",
    ({ catalogue, error }) => {
      catalogue.errors.NotThere = { ...error("not_found"), message: "Not there" };
    },
  ],
  [
    "errors.yaml: session_ended is neither a response nor a result",
    ({ error }) => {
      error("session_ended").result = false;
    },
  ],
  [
    "errors.yaml: session_ended needs status and step",
    ({ error }) => {
      error("session_ended").step = 9;
    },
  ],
  [
    "errors.yaml: not_found has no fix",
    ({ error }) => {
      error("not_found").fix = "";
    },
  ],
  [
    "errors.yaml: nobody names set spare",
    ({ catalogue }) => {
      catalogue.sets.spare = ["not_found"];
    },
  ],
  [
    "hangup: inline request body; give it a name in schemas.yaml",
    ({ operation, schema }) => {
      sure(operation(command("hangup")).requestBody?.content["application/json"]).schema = schema("Hangup");
    },
  ],
  [
    "hangup: request body without an example",
    ({ operation }) => {
      delete operation(command("hangup")).requestBody?.content["application/json"]?.example;
    },
  ],
  [
    "getLive: 200 without an example",
    ({ operation }) => {
      delete operation("/live", "get").responses?.["200"]?.content?.["application/json"]?.example;
    },
  ],
  [
    "getLive: 404 is written by hand; name its errors in x-errors",
    ({ operation }) => {
      sure(operation("/live", "get").responses)["404"] = { description: "Gone." };
    },
  ],
  [
    "getLive: needs exactly one status of success, or 200 and 206 or 304",
    ({ operation }) => {
      sure(operation("/live", "get").responses)["204"] = { description: "Empty." };
    },
  ],
  [
    "getRecording: needs exactly one status of success, or 200 and 206 or 304",
    ({ operation }) => {
      delete operation("/api/v1/recordings/{recording_id}", "get").responses?.["200"];
      sure(operation("/api/v1/recordings/{recording_id}", "get").responses)["204"] = { description: "Empty." };
    },
  ],
  [
    "getLive: 200 without content",
    ({ operation }) => {
      delete operation("/live", "get").responses?.["200"]?.content;
    },
  ],
  [
    "deleteRoom: 204 has no content",
    ({ operation }) => {
      const content = { "text/plain": { schema: { type: "string" } } };
      Object.assign(sure(operation("/api/v1/conferences/{room_id}", "delete").responses?.["204"]), { content });
    },
  ],
  [
    "listRooms: x-ended is for reading what a session or room in the path left behind",
    ({ operation }) => {
      operation("/api/v1/conferences", "get")["x-ended"] = true;
    },
  ],
  [
    "hangup: x-ended is for reading what a session or room in the path left behind",
    ({ operation }) => {
      operation(command("hangup"))["x-ended"] = true;
    },
  ],
  [
    "playRoom: x-lenient-body needs a body that may be left out",
    ({ operation }) => {
      operation(roomCommand("play"))["x-lenient-body"] = true;
    },
  ],
  [
    "getRoom: x-lenient-body needs a body that may be left out",
    ({ operation }) => {
      operation("/api/v1/conferences/{room_id}", "get")["x-lenient-body"] = true;
    },
  ],
  [
    "getLive: needs exactly one known tag",
    ({ operation }) => {
      operation("/live", "get").tags = ["other"];
    },
  ],
  [
    "hangup: a session command reads at most 65536 bytes",
    ({ operation }) => {
      operation(command("hangup"))["x-body-limit"] = 1048576;
    },
  ],
  [
    "hangup: x-command is named bye but its path says hangup",
    ({ operation }) => {
      operation(command("hangup"))["x-command"] = { name: "bye", result: "immediate", timeout_ms: 1 };
    },
  ],
  [
    "pauseRoom: a room command reads at most 1048576 bytes",
    ({ operation }) => {
      operation(roomCommand("pause"))["x-body-limit"] = 65536;
    },
  ],
  [
    "stopRoom: x-command is named stop but its path says room/stop",
    ({ operation }) => {
      operation(roomCommand("stop"))["x-command"] = { name: "stop", result: "immediate", timeout_ms: 1 };
    },
  ],
  [
    "getRoom: x-command is named room/show but its path says /api/v1/conferences/{room_id}",
    ({ operation }) => {
      const show = operation("/api/v1/conferences/{room_id}", "get");
      show["x-command"] = { name: "room/show", result: "immediate", timeout_ms: 1 };
    },
  ],
  [
    "hangup: a command emits command.result",
    ({ operation }) => {
      operation(command("hangup"))["x-emits"] = ["call.hangup"];
    },
  ],
  [
    "getLive: x-rate-group without x-command",
    ({ operation }) => {
      operation("/live", "get")["x-rate-group"] = "seek";
    },
  ],
  [
    "x-rate-groups: no operation is in idle",
    ({ document }) => {
      document["x-rate-groups"].idle = 2000;
    },
  ],
  [
    "webhooks: nobody emits call.new",
    ({ operation }) => {
      operation("/admin/sandbox/calls")["x-emits"] = ["dtmf", "call.hangup"];
    },
  ],
  [
    "hangup: emits call.lost, which is no event",
    ({ operation }) => operation(command("hangup"))["x-emits"]?.push("call.lost"),
  ],
  [
    "dtmf: x-source is session, room or either",
    ({ event }) => {
      Object.assign(event("dtmf"), { "x-source": "app" });
    },
  ],
  ...["x-guards", "x-ended", "x-lenient-body", "x-source"].map((word): [string, (draft: Draft) => void] => [
    `${word} is not explained in x-words`,
    ({ document }) => {
      delete document["x-words"][word];
    },
  ]),
  [
    "x-shiny is not explained in x-words",
    ({ schema }) => {
      Object.assign(schema("Hangup"), { "x-shiny": true });
    },
  ],
  [
    "x-words explains x-dull, which nobody uses",
    ({ document }) => {
      document["x-words"]["x-dull"] = "Nothing.";
    },
  ],
  [
    '"Session ended" is written outside of errors.yaml',
    ({ schema }) => {
      schema("Hangup").description = "The result of others is then: Session ended.";
    },
  ],
];

test.each(mistakes)("%s", async (said, change) => {
  expect(await after(change)).toContain(said);
});

test("the sources are clean", async () => {
  expect(await after(() => {})).toEqual([]);
});

test("an error that the catalogue does not have", async () => {
  const change = ({ operation }: Draft) => {
    operation("/live", "get")["x-errors"] = ["gone"];
  };
  await expect(after(change)).rejects.toThrow('getLive: openapi/errors.yaml has no response "gone"');
});
