import { expect, test } from "@jest/globals";
import { after, command, type Draft, sure } from "./draft";

/** Each field that can be refused says how: what the lint must say, and the change after which it must. */
const mistakes: [string, (draft: Draft) => void][] = [
  [
    "hangup: has no x-body-limit",
    ({ operation }) => {
      delete operation(command("hangup"))["x-body-limit"];
    },
  ],
  [
    "StartPlayback: urls: no x-error for required",
    ({ field }) => {
      field("StartPlayback", "urls")["x-error"] = { default: "urls_required" };
    },
  ],
  [
    "StartPlayback: urls: x-error names pattern, which it does not check",
    ({ field }) => {
      const urls = field("StartPlayback", "urls");
      urls["x-error"] = { ...urls["x-error"], pattern: "urls_invalid" };
    },
  ],
  [
    "StartPlayback: offset_sec: no x-error for type, minimum, maximum",
    ({ field }) => {
      delete field("StartPlayback", "offset_sec")["x-error"];
    },
  ],
  [
    "Hangup: cause: no x-error for type, enum",
    ({ field }) => {
      delete field("Hangup", "cause")["x-error"];
    },
  ],
  [
    "getSession: parameter uuid: x-error has a default that nothing leads to",
    ({ document }) => {
      sure(document.components.parameters.SessionUuidParameter).schema = {
        type: "string",
        "x-error": { default: "invalid_cursor" },
      };
    },
  ],
  [
    "getApp: parameter app_id: no x-error for pattern",
    ({ document }) => {
      delete sure(document.components.parameters.AppIdParameter).schema?.["x-error"];
    },
  ],
  [
    "Hangup: a body refuses unknown fields (additionalProperties: false)",
    ({ schema }) => {
      schema("Hangup").additionalProperties = true;
    },
  ],
  [
    "Hangup: a body is an object",
    ({ schema }) => {
      schema("Hangup").type = ["object", "array"];
    },
  ],
  [
    "Hangup: reason is required but not described",
    ({ schema }) => {
      schema("Hangup").required = ["reason"];
    },
  ],
  [
    "Hangup: cause: did_taken is no 400 of step 8",
    ({ field }) => {
      field("Hangup", "cause")["x-error"] = { default: "did_taken" };
    },
  ],
];

test.each(mistakes)("%s", async (said, change) => {
  expect(await after(change)).toContain(said);
});
