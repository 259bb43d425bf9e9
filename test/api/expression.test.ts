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

test.each(["(", "(?=1)", "(1)\\1", "1{257}", "1{1000}2{1000}", "(1{100}){157}", "\\p{L}", "[\\PN]+"])(
  "%s is refused",
  async (expression) => {
    expect(await answer(expression)).toBe("digits_regex_invalid");
  },
);

test.each(["1234", "[0-9]{4,8}", "(1|2)*#?", "1{128}2{128}", "1{2,}"])("%s is taken", async (expression) => {
  // No engine is there to take the command; what matters is that the expression passed.
  expect(["media_server_unavailable", "command_rate_limited"]).toContain(await answer(expression));
});
