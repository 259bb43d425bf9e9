/** The same person calls a real Asterisk, which asks for a password and wants its Contact honoured. */
import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { placeSipCall } from "../../src/caller/call";
import { until } from "../asterisk/place";
import { AsteriskServer, freePort } from "../asterisk/server";
import { voicegate } from "../cli/voicegate";
import { FileServer } from "../engine/files";
import { TestGateway } from "../gateway";

let server: AsteriskServer;
let place: TestGateway;
const files = new FileServer();
beforeAll(async () => {
  server = await AsteriskServer.start(async (prepared) => {
    const name = prepared.conf("pjsip.conf");
    const text = await readFile(name, "utf8");
    const auth = "\n[password]\ntype = auth\nauth_type = userpass\nusername = alice\npassword = sesame\n";
    const tcp = `\n[tcp]\ntype = transport\nprotocol = tcp\nbind = 127.0.0.1:${prepared.sipPort}\n`;
    await writeFile(name, `${text.replace("direct_media = no", "direct_media = no\nauth = password")}${auth}${tcp}`);
  });
  await files.listen();
  const ASTERISK_NODES = `ast=${server.url}|${server.user}|${server.password}`;
  const PORT = String(await freePort("tcp"));
  const env = { PORT, MEDIA_BASE_URL: `http://127.0.0.1:${PORT}`, ASTERISK_NODES, EMBEDDED_ENGINE: "false" };
  place = await TestGateway.start({ recordings: true, env });
});
afterAll(async () => {
  await place.close();
  await server.stop();
  await files.close();
});

test.each(["udp", "tcp"])("by %s: answered, hears a tone, each key arrives once, hangs up", async (transport) => {
  const { receiver, client, app } = place;
  const call = await placeSipCall({
    uri: `sip:100@127.0.0.1:${server.sipPort};transport=${transport}`,
    callerId: `+49 30 ${transport}`,
    script: [
      { do: "wait_for", event: "playback.stopped" },
      { do: "press", digits: "1220#" },
    ],
    username: "alice",
    password: "sesame",
  });
  const { source } = await receiver.until(() =>
    receiver.events.find((each) => each.event === "call.new" && Object(each.data).caller_id === `+49 30 ${transport}`),
  );
  const command = async (name: string, body: object = {}) => {
    const path = `/api/v1/sessions/${source}/commands/${name}`;
    const { status, text } = await client.request({ method: "POST", path, headers: app, body });
    if (status !== 202) throw new Error(`${name}: ${status} ${text}`);
  };
  await command("answer");
  await call.answered;
  await command("playback/start", { urls: [files.tone(20_000)] });
  await until(async () => call.heard.level > -20);
  await command("playback/stop");
  call.tell((await receiver.event("playback.stopped", source)).event);
  const keyed = () => receiver.of(source).filter(({ event }) => event === "dtmf");
  await receiver.until(() => keyed()[4]);
  expect(keyed().map(({ data }) => Object(data).digit)).toEqual([..."1220#"]);
  await call.hangUp();
  expect(await call.ended).toMatchObject({ by: "caller", status: null });
  expect((await receiver.event("call.hangup", source)).data).toMatchObject({ by: "caller" });
  await call.close();
});

test("the doctor says whether its ARI takes user and password", async () => {
  const examine = (password: string) => {
    const ASTERISK_NODES = `ast=${server.url}|${server.user}|${password}`;
    return voicegate(["doctor"], { PORT: "0", EMBEDDED_ENGINE: "false", ASTERISK_NODES });
  };
  const [right, wrong] = await Promise.all([examine(server.password), examine("hunter2")]);
  expect(right).toMatchObject({ status: 0, stdout: expect.stringContaining("Its ARI takes user and password") });
  expect(wrong).toMatchObject({
    status: 1,
    stdout: expect.stringContaining("Its ARI refuses the user or the password"),
  });
  expect(wrong.stdout).not.toContain("hunter2");
});
