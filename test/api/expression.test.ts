/** Expressions of tenants: what would take long on the main thread is refused like what does not compile. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Client } from "./client";
import { credentials, type Place, startApi } from "./place";

let place: Place;
beforeAll(async () => {
  place = await startApi();
});
afterAll(() => place.close());

async function answer(digits_regex: string): Promise<unknown> {
  const path = `/api/v1/sessions/${place.session_uuid}/commands/play_and_get_digits`;
  const body = { prompt_files: ["http://127.0.0.1/a.wav"], digits_regex };
  const response = await new Client(place.url).request({ method: "POST", path, headers: credentials, body });
  return response.body?.code;
}

test.each([
  "(",
  "(?=1)",
  "(1)\\1",
  "1{1000}2{1000}",
  "(1{100}){157}",
  // No sum of counts tells the size of these: 56 000 and 220 000 instructions, 0.6 and 1.4 s for 128 digits.
  `(?:${".?".repeat(110)}){256}`,
  `(?:(?:${".?".repeat(110)}){100}){10}`,
  "(?:.?){200}",
  ".{0,120}.{0,120}",
  // 70 ms to compile: case folding looks at each character of the class.
  `(?i)${"[B-\\x{1e000}]".repeat(17)}`,
  "(?s-i:1)",
  "\\p{L}",
  "[\\PN]+",
])("%s is refused", async (expression) => {
  expect(await answer(expression)).toBe("digits_regex_invalid");
});

const list = Array.from({ length: 51 }, (_, i) => 1000 + 7 * i).join("|");

test.each([
  "1234",
  "[0-9]{4,8}",
  "(1|2)*#?",
  "1{128}2{128}",
  "1{2,}",
  ".{0,128}",
  "(?:[0-9]{2}-){5}",
  "(?:12){3}(?:34){3}",
  "1\\{2{3}",
  list,
])("%s is taken", async (expression) => {
  // No engine is there to take the command; what matters is that the expression passed.
  expect(["media_server_unavailable", "command_rate_limited"]).toContain(await answer(expression));
});
