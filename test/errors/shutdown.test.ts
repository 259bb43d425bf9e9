/** What a gateway says while it stops: first it drains, then it is shut down, and waits for a receiver that is slow. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { exampleRequest, type RoutedId } from "../../src/conformance/gateway/requests/requests";
import { TestGateway } from "../gateway";
import { forEachDeclaring, provoke } from "./expected";

let place: TestGateway;
let closing: Promise<void>;
let release: () => void;

beforeAll(async () => {
  place = await TestGateway.start();
  // A delivery under way may end before the gateway closes: that is the time in which it can be asked.
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  place.receiver.answer = () => released.then(() => 204);
  await place.call();
  await place.receiver.attempted(1);
  closing = place.close();
  const request = exampleRequest("getOpenapi", place);
  for (let status = 200; status !== 503; ) ({ status } = await place.client.request(request));
});
afterAll(async () => {
  release();
  await closing;
});

describe("shut down", () => {
  /** Without credentials: nobody gets so far as to be asked for them. */
  const anonymous = (id: RoutedId) => ({ ...exampleRequest(id, place), headers: {} });

  forEachDeclaring("server_shutting_down", async (id) => {
    const { headers } = await provoke(place.client, anonymous(id), id, "server_shutting_down");
    expect(headers["retry-after"]).toBe("1");
  });

  test("a request without a route", async () => {
    const request = { ...exampleRequest("getOpenapi", place), path: "/nowhere" };
    await provoke(place.client, request, "http.shuttingDown", "server_shutting_down");
  });

  test("the process lives, and says so", async () => {
    expect(await place.client.request(exampleRequest("getLive", place))).toMatchObject({ status: 200 });
  });

  forEachDeclaring("server_draining", async (id) => {
    await provoke(place.client, exampleRequest(id, place), id, "server_draining");
  });
});
