import { expect, test } from "@jest/globals";
import { after, command, type Draft, drop, roomCommand, sure } from "./draft";

/** Each check has its errors, and each error its check: what the lint must say, and the change after which it must. */
const mistakes: [string, (draft: Draft) => void][] = [
  [
    "hangup: has a body limit, but does not declare 413 Request body too large (request_body_too_large)",
    ({ operation }) => {
      const hangup = operation(command("hangup"));
      hangup["x-errors"] = drop(hangup["x-errors"], "body");
    },
  ],
  [
    "listSessions: has a body limit, but does not declare 413 Request body too large (request_body_too_large)",
    ({ operation }) => {
      const list = operation("/api/v1/sessions", "get");
      list["x-errors"] = drop(list["x-errors"], "ignored_body");
    },
  ],
  [
    "getLive: declares 503 Server is overloaded (server_overloaded), but not one that is refused when shut down or overloaded",
    ({ operation }) => {
      operation("/live", "get")["x-errors"] = ["gate"];
    },
  ],
  [
    "answer: is a command, but does not declare 501 Not supported by this media server (not_supported)",
    ({ catalogue }) => {
      catalogue.sets.command = drop(catalogue.sets.command, "not_supported");
    },
  ],
  [
    "commands.unknown: asks for an app's key, but does not declare 401 Missing API key (missing_api_key)",
    ({ document }) => {
      sure(document["x-pseudo-operations"]["commands.unknown"])["x-errors"] = [
        "gate",
        "ignored_body",
        "invalid_command",
      ];
    },
  ],
  [
    "getApp: declares 404 Session not found (session_not_found), but not one that is about a session",
    ({ operation }) => operation("/admin/apps/{app_id}", "get")["x-errors"]?.push("session_not_found"),
  ],
  [
    "createRoom: is about a session, but does not declare 403 Session belongs to a different application (session_of_another_app)",
    ({ operation }) => {
      const create = operation("/api/v1/conferences");
      create["x-errors"] = drop(create["x-errors"], "session");
    },
  ],
  [
    "joinRoom: is about a room, but does not declare 404 Room not found (room_not_found)",
    ({ operation }) => {
      const join = operation(command("conference/join"));
      join["x-errors"] = drop(join["x-errors"], "room");
    },
  ],
  [
    "leaveRoom: declares 404 Room not found (room_not_found), but not one that is about a room",
    ({ operation }) => operation(command("conference/leave"))["x-errors"]?.push("room"),
  ],
  [
    "getRoom: is about a room, but does not declare 403 Room belongs to a different application (room_of_another_app)",
    ({ operation }) => {
      operation("/api/v1/conferences/{room_id}", "get")["x-errors"] = ["gate", "app", "ignored_body", "failure"];
    },
  ],
  [
    "stopRoom: is a command, but does not declare 409 command_uid is still being processed (command_uid_pending)",
    ({ operation }) => {
      const stop = operation(roomCommand("stop"));
      stop["x-errors"] = drop(stop["x-errors"], "command");
    },
  ],
  [
    "leaveRoom: declares 415 Content-Type must be application/json (unsupported_content_type), but not one that reads no body but JSON",
    ({ operation }) => operation(command("conference/leave"))["x-errors"]?.push("body"),
  ],
  [
    "leaveRoom: reads a body, but does not declare 400 Unknown field in request body (unknown_field)",
    ({ catalogue }) => {
      catalogue.sets.lenient_body = drop(catalogue.sets.lenient_body, "unknown_field");
    },
  ],
  [
    "mute: reads no body but JSON, but does not declare 415 Content-Type must be application/json (unsupported_content_type)",
    ({ operation }) => {
      const mute = operation(command("conference/mute"));
      mute["x-errors"] = [...drop(mute["x-errors"], "body"), "lenient_body"];
    },
  ],
  [
    "stopPlayback: has a rate group, but does not declare 429 Command rate limited (command_rate_limited)",
    ({ operation }) => {
      const stop = operation(command("playback/stop"));
      stop["x-errors"] = drop(stop["x-errors"], "cooldown");
    },
  ],
  [
    "getApp: 404 Not found (not_found) is for requests that belong to no path",
    ({ operation }) => operation("/admin/apps/{app_id}", "get")["x-errors"]?.push("not_found"),
  ],
  [
    "http.notFound: declares no error",
    ({ document }) => {
      sure(document["x-pseudo-operations"]["http.notFound"])["x-errors"] = [];
    },
  ],
  [
    "startPlayback: urls_required belongs to a field, not into x-errors",
    ({ operation }) => operation(command("playback/start"))["x-errors"]?.push("urls_required"),
  ],
  [
    "mute: session_already_muted belongs to a guard, not into x-errors",
    ({ operation }) => operation(command("conference/mute"))["x-errors"]?.push("session_already_muted"),
  ],
];

test.each(mistakes)("%s", async (said, change) => {
  expect(await after(change)).toContain(said);
});
