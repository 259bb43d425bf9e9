import { expect, test } from "@jest/globals";
import { after, command, type Draft, drop, sure } from "./draft";

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
];

test.each(mistakes)("%s", async (said, change) => {
  expect(await after(change)).toContain(said);
});
