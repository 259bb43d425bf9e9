/** Bytes that no HTTP client would send: each gets the envelope, and a clean close. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { rawCases } from "../../src/conformance/gateway/requests/raw_requests";
import { type Place, startApi } from "./place";
import { head, putApp } from "./requests";
import { requestLine, Wire } from "./wire";

let place: Place;
beforeAll(async () => {
  place = await startApi({ timeouts: { lingerMs: 200 } });
});
afterAll(() => place.close());

const cases = rawCases(head, putApp);

describe.each(Object.entries(cases))("%s", (_, cases) => {
  test.each(cases)("%s", async (_name, made, answer) => {
    const bytes = typeof made === "function" ? made() : made;
    const wire = await Wire.open(place.port);
    wire.write(bytes);
    const response = await wire.response(...requestLine(bytes));
    expect(response && `${response.status} ${response.error}`).toBe(answer);
    await wire.closed();
  });
});
