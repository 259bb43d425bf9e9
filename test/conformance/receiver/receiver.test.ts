/** The receiver's side of the kit against endpoints that are right, and what it makes its events of. */
import { once } from "node:events";
import { copyFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Webhook } from "standardwebhooks";
import { faultlessReceiver, oldSecret } from "../../../scripts/faults/receivers/index";
import { receiverChecks } from "../../../src/conformance/receiver/checks";
import { formsOf, kinds } from "../../../src/conformance/receiver/samples";
import { lifeOfCall, Story } from "../../../src/conformance/receiver/story";
import { signatureOf } from "../../../src/conformance/signature";
import { promised } from "../../../src/promised";
import { buildClient } from "../../client/built";
import { Program, root } from "../../project/program";
import { of, secret, tried } from "./trial";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("a listening server has no address");
  return address.port;
}

describe("its events", () => {
  test("every form is what the document allows, and the document has no event without one", () => {
    let forms = 0;
    for (const { name, ofCall } of kinds())
      for (const data of formsOf(name)) {
        const { body } = new Story(ofCall ? "call" : "room", "demo", "acW68").next(name, data);
        expect({ name, data, wrong: promised().webhookErrors(name, body) }).toEqual({ name, data, wrong: [] });
        forms++;
      }
    expect(kinds().map(({ name }) => name)).toEqual(expect.arrayContaining([...lifeOfCall]));
    expect(forms).toBeGreaterThan(2 * kinds().length);
    const hangups = formsOf("call.hangup").map(({ by, sip_status }) => `${by} ${sip_status}`);
    expect(new Set(hangups)).toEqual(
      new Set(["caller null", "app null", "gateway null", "media_server null", "caller 1"]),
    );
  });

  test("are signed as others sign them", () => {
    const seconds = String(Math.floor(Date.now() / 1000));
    const told = new Story("call", "demo", "acW68").next("call.new");
    const signature = signatureOf(secret, told.id, seconds, told.body);
    const headers = { "webhook-id": told.id, "webhook-timestamp": seconds, "webhook-signature": signature };
    expect(new Webhook(secret).verify(told.body, headers)).toEqual(JSON.parse(told.body));
  });

  test("ids of checks are unique, and the quick profile is a part of the full one", () => {
    const checks = receiverChecks();
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    expect(checks.length).toBeGreaterThan(100);
    expect(checks.filter(({ profile }) => profile === "minimal").length).toBeGreaterThan(25);
  });
});

test("what the starter leaves to others is passed by an endpoint that does everything right", async () => {
  const { url, probe, close } = await faultlessReceiver.start(secret);
  try {
    const outcomes = await tried(
      { url, probe, oldSecret },
      "signatures/old_secret",
      "bodies",
      "effects/ledger",
      "answers",
    );
    expect(of(outcomes, "failed")).toEqual([]);
    expect(of(outcomes, "skipped")).toEqual([]);
  } finally {
    await close();
  }
});

test("without a probe effects are skipped, and it is said why", async () => {
  const { url, close } = await faultlessReceiver.start(secret);
  try {
    const outcomes = await tried({ url }, "effects", "events/dtmf");
    expect(of(outcomes, "failed")).toEqual([]);
    const reasons = new Set(outcomes.filter(({ id }) => id.startsWith("effects/")).map(({ reason }) => reason));
    expect([...reasons]).toEqual(["Effects cannot be seen without a probe (--probe)."]);
  } finally {
    await close();
  }
});

test("the starter passes, by the command line", async () => {
  const built = await buildClient();
  const starter = path.join(built.folder, "receiver.js");
  await copyFile(path.join(root, "dist/examples/receivers/receiver.js"), starter);
  const port = await freePort();
  const env = { WEBHOOK_SECRET: secret, PORT: String(port), VOICEGATE_PROBE: "1" };
  const program = new Program(process.execPath, [starter], env);
  try {
    await program.prints(/receiver ready/);
    const url = `http://127.0.0.1:${port}/`;
    const words = ["conformance", "receiver", "--url", url, "--probe", `${url}voicegate-probe`];
    const kit = new Program(process.execPath, ["dist/src/cli/voicegate.js", ...words], { WEBHOOK_SECRET: secret });
    await kit.prints(/ checks in .*: \d+ passed, 0 failed, 2 skipped/);
    expect(kit.output).toMatch(/secret that is over[\s\S]*without a length is not taken/);
    expect(await kit.ended()).toBe(0);
  } finally {
    program.interrupt("SIGTERM");
    await program.ended();
    await built.remove();
  }
}, 120_000);
