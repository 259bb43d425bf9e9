/** What only a media server can cause: one that refuses, keeps silent or breaks, and a media process that is stopped. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  exampleRequest,
  type HttpRequest,
  policyOf,
  type RoutedId,
  withBody,
} from "../../src/conformance/gateway/requests/requests";
import { Client } from "../api/client";
import { TestGateway } from "../gateway";
import { declaring, forEachDeclaring, provoke } from "./expected";
import { type Conduct, ContraryEngine, FailingStore } from "./failing";
import { ready } from "./ready";

const withUid = (request: HttpRequest, command_uid: string) =>
  withBody(request, { ...JSON.parse(String(request.body)), command_uid });
const isCommand = (id: RoutedId) => policyOf(id).command !== null;

describe("an engine that takes no command", () => {
  const engine = new ContraryEngine();
  const store = new FailingStore();
  let place: TestGateway;
  let client: Client;
  beforeAll(async () => {
    place = await TestGateway.start({
      engines: [engine],
      store: store.store,
      recordings: true,
      env: { COMMAND_TIMEOUT_MS: "100" },
    });
    client = new Client(place.url, { inside: true });
  });
  afterAll(() => place.close());

  /** To which nothing can be objected but that the engine is like this. */
  async function request(id: RoutedId, conduct: Conduct) {
    engine.conduct = "willing";
    const names = await ready(id, { gateway: place, store, call: () => engine.call("100") });
    engine.conduct = conduct;
    return exampleRequest(id, place, names);
  }

  forEachDeclaring("not_supported", async (id) => {
    await provoke(client, await request(id, "unsupported"), id, "not_supported");
  });

  test.each(declaring("media_server_unavailable").filter(isCommand))("%s: refused as unreachable", async (id) => {
    const { headers } = await provoke(client, await request(id, "unreachable"), id, "media_server_unavailable");
    expect(headers["retry-after"]).toBe("1");
  });

  forEachDeclaring("media_server_timed_out", async (id) => {
    const timedOut = withUid(await request(id, "silent"), "late");
    await provoke(client, timedOut, id, "media_server_timed_out");
    const { headers } = await provoke(client, timedOut, id, "media_server_timed_out");
    expect(headers["idempotent-replayed"]).toBe("true");
  });

  // A uid that is given and used again: it would be taken for a repeat if the refusal had not freed it.
  test.each(declaring("internal_error").filter(isCommand))("%s: an error of the engine's own", async (id) => {
    const broken = withUid(await request(id, "broken"), "broken");
    for (let i = 0; i < 2; i += 1) await provoke(client, broken, id, "internal_error");
  });

  forEachDeclaring("command_uid_pending", async (id) => {
    const held = withUid(await request(id, "silent"), "held");
    const asked = engine.asked();
    const first = provoke(client, held, id, "media_server_timed_out");
    await asked;
    await provoke(client, held, id, "command_uid_pending");
    await first;
  });

  test("a call that the engine does not know any more", async () => {
    await provoke(client, await request("answer", "gone"), "answer", "session_not_found");
  });
});

describe("a media process", () => {
  let place: TestGateway;
  let client: Client;
  beforeAll(async () => {
    place = await TestGateway.start({ env: { COMMAND_TIMEOUT_MS: "100" } });
    client = new Client(place.url, { inside: true });
  });
  afterAll(() => place.close());

  function signal(name: "SIGSTOP" | "SIGKILL"): void {
    const pid = place.gateway.embedded?.mediaPid;
    if (!pid) throw new Error("there is no media process");
    process.kill(pid, name);
  }

  test("that is stopped takes no command in time, and no call; killed, it is replaced", async () => {
    const uuid = await place.call();
    signal("SIGSTOP");
    await provoke(client, exampleRequest("answer", place, { uuid }), "answer", "media_server_timed_out");
    // To close a room it needs no media server, only the instance that has it.
    for (const id of declaring("media_server_unavailable").filter((each) => !isCommand(each) && each !== "deleteRoom"))
      await provoke(client, exampleRequest(id, place, { uuid }), id, "media_server_unavailable");
    signal("SIGKILL");
    await place.receiver.event("call.hangup", uuid);
    const health = exampleRequest("getHealth", place);
    for (let up = false; !up; ) up = JSON.parse((await client.request(health)).text).nodes[0].connected;
    await place.call();
  });
});
