/** Development mode has demo values for everything: recordings, too, can be made and fetched from where it says. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { Client } from "../api/client";
import { Program } from "./program";

const admin = { "X-Admin-API-Key": "demo-admin-key-0123456789" };
const app = { "X-App-ID": "demo", "X-API-Key": "demo-api-key-0123456789" };

async function record(development: Program, url: string): Promise<string> {
  const client = new Client(url);
  const placed = await client.request({
    method: "POST",
    path: "/admin/sandbox/calls",
    headers: admin,
    body: { did: "100" },
  });
  for (const name of ["answer", "record/start", "record/stop"]) {
    const target = `/api/v1/sessions/${placed.body?.session_uuid}/commands/${name}`;
    expect((await client.request({ method: "POST", path: target, headers: app, body: {} })).status).toBe(202);
    await development.prints(new RegExp(`command=${name} .*success=true`));
  }
  return (await development.prints(/recording\.completed .*recording_url=(\S+)/))[1] ?? "";
}

test("a recording is where its URL says, and gone when the gateway is", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-test-"));
  const recordings = async () => (await readdir(folder)).filter((name) => name.startsWith("voicegate-dev-"));
  const env = { PORT: "0", SIP_PORT: "0", TMPDIR: folder };
  const development = new Program("node", ["dist/src/cli/voicegate.js", "dev"], env);
  try {
    const url = (await development.prints(/API +(http:\/\/\S+)/))[1] ?? "";
    expect(await recordings()).toHaveLength(1);
    const recording = new URL(await record(development, url));
    expect(recording.origin).toBe(url);
    const fetched = await fetch(recording, { headers: app });
    expect({ status: fetched.status, type: fetched.headers.get("content-type") }).toEqual({
      status: 200,
      type: "audio/wav",
    });
    expect(Buffer.from(await fetched.arrayBuffer()).toString("latin1", 0, 4)).toBe("RIFF");
  } finally {
    development.interrupt();
    await development.ended();
  }
  expect(await recordings()).toEqual([]);
  await rm(folder, { recursive: true });
});
