/** What only a media server can cause: one that refuses, keeps silent or breaks, and a media process that is stopped. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Client } from "../api/client";
import { TestGateway } from "../gateway";
import { declaring, forEachDeclaring, provoke } from "./expected";
import { type Conduct, ContraryEngine } from "./failing";
import { exampleBody, exampleRequest, policyOf, type RoutedId, withBody } from "./requests";

const isCommand = (id: RoutedId) => policyOf(id).command !== null;

describe("an engine that takes no command", () => {
  const engine = new ContraryEngine();
  let place: TestGateway;
  let client: Client;
  beforeAll(async () => {
    place = await TestGateway.start({ engines: [engine], env: { COMMAND_TIMEOUT_MS: "100" } });
    client = new Client(place.url, { inside: true });
  });
  afterAll(() => place.close());

  async function request(id: RoutedId, conduct: Conduct) {
    engine.conduct = conduct;
    return exampleRequest(id, place, { uuid: await engine.call("100") });
  }

  forEachDeclaring("not_supported", async (id) => {
    await provoke(client, await request(id, "unsupported"), id, "not_supported");
  });

  test.each(declaring("media_server_unavailable").filter(isCommand))("%s: refused as unreachable", async (id) => {
    const { headers } = await provoke(client, await request(id, "unreachable"), id, "media_server_unavailable");
    expect(headers["retry-after"]).toBe("1");
  });

  forEachDeclaring("media_server_timed_out", async (id) => {
    const timedOut = withBody(await request(id, "silent"), { ...exampleBody(id, place), command_uid: "late" });
    await provoke(client, timedOut, id, "media_server_timed_out");
    const { headers } = await provoke(client, timedOut, id, "media_server_timed_out");
    expect(headers["idempotent-replayed"]).toBe("true");
  });

  // A uid that is given and used again: it would be taken for a repeat if the refusal had not freed it.
  test.each(declaring("internal_error").filter(isCommand))("%s: an error of the engine's own", async (id) => {
    const broken = withBody(await request(id, "broken"), { ...exampleBody(id, place), command_uid: "broken" });
    for (let i = 0; i < 2; i += 1) await provoke(client, broken, id, "internal_error");
  });

  forEachDeclaring("command_uid_pending", async (id) => {
    const held = withBody(await request(id, "silent"), { ...exampleBody(id, place), command_uid: "held" });
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
    for (const id of declaring("media_server_unavailable").filter((each) => !isCommand(each)))
      await provoke(client, exampleRequest(id, place), id, "media_server_unavailable");
    signal("SIGKILL");
    await place.receiver.event("call.hangup", uuid);
    const health = exampleRequest("getHealth", place);
    for (let up = false; !up; ) up = JSON.parse((await client.request(health)).text).nodes[0].connected;
    await place.call();
  });
});
