/** Recordings begun in the moment in which their calls end: each is told of as completed, or has never been. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { stages } from "./stage";

const open = stages();
const calls = 40;

test("whatever comes first, no file is left that nobody was told of", async () => {
  const stage = await open({ recordings: true });
  const { receiver, gateway } = stage;
  const uuids = await Promise.all(Array.from({ length: calls }, () => gateway.call()));
  await Promise.all(uuids.map((uuid) => stage.done(uuid, "answer")));
  const answers = await Promise.all(
    uuids.map(async (uuid) => {
      const [begun] = await Promise.all([stage.command(uuid, "record/start"), stage.command(uuid, "hangup")]);
      return begun.status;
    }),
  );
  expect(answers.every((status) => [202, 404].includes(status))).toBe(true);
  await Promise.all(uuids.map((uuid) => receiver.event("call.hangup", uuid)));
  // Ends what is still written, and tells of it.
  await gateway.gateway.shutdown();
  const folder = path.join(gateway.recordings ?? "", "test");
  const names = readdirSync(folder).sort();
  const sidecars = names.filter((name) => name.endsWith(".json"));
  for (const name of sidecars) {
    const { state, recording_id } = JSON.parse(await readFile(path.join(folder, name), "utf8"));
    expect([state, recording_id]).toEqual(["told", path.basename(name, ".json")]);
  }
  expect(names).toEqual(sidecars.flatMap((name) => [name, name.replace(".json", ".wav")]).sort());
  const lines = gateway.log.map((line) => JSON.parse(line));
  expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
});
