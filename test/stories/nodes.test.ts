/** Several media servers of different kinds behind one gateway: who has what, what is asked of whom, and who gets a new room. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Stage } from "../calls/stage";
import { FreeswitchReplay } from "../freeswitch/replay";
import { elsewhere } from "./place";

const replays = { fs1: new FreeswitchReplay(), fs2: new FreeswitchReplay() };
let stage: Stage;
beforeAll(async () => {
  const places = await Promise.all(
    Object.entries(replays).map(async ([node, replay]) => {
      await replay.listen();
      return `${node}=127.0.0.1:${replay.port}:${replay.password}`;
    }),
  );
  const env = {
    ...elsewhere,
    EMBEDDED_ENGINE: "true",
    FREESWITCH_NODES: places.join(","),
    // Nobody is there.
    ASTERISK_NODES: "ast=http://127.0.0.1:1|user|password",
  };
  stage = await Stage.open({ env });
  await listed(({ node, connected }) => connected === (node !== "ast"));
});
afterAll(async () => {
  await stage?.close();
  for (const replay of Object.values(replays)) await replay.close();
});

interface Listed {
  readonly node: string;
  readonly engine: string;
  readonly connected: boolean;
  readonly sessions: number;
  readonly rooms: number;
}

/** What an operator sees, once this is so of each. */
async function listed(holds: (node: Listed) => boolean = () => true): Promise<Listed[]> {
  for (;;) {
    const { nodes } = { nodes: [], ...(await stage.admin("GET", "/admin/nodes")).body } as { nodes: Listed[] };
    if (nodes.every(holds)) return nodes;
  }
}

const counts = async () => (await listed()).map(({ node, sessions, rooms }) => [node, sessions, rooms]);

/** Somebody calls at this FreeSWITCH. */
async function call(replay: FreeswitchReplay): Promise<string> {
  const { uuid } = replay.call({ caller_id: "491", did: "1000" });
  const { source } = await stage.receiver.until(() =>
    stage.receiver.events.find(({ event, source: id }) => event === "call.new" && id.endsWith(uuid)),
  );
  return source;
}

const answers = (replay: FreeswitchReplay) => [...replay.channels.values()].map(({ answered }) => answered);

test("each is listed with its kind, commands go to whom the call is at, and new rooms to the least loaded one", async () => {
  const embedded = stage.gateway.gateway.embedded?.node ?? "";
  expect(await listed()).toMatchObject([
    { node: embedded, engine: "embedded", connected: true, sessions: 0, rooms: 0 },
    { node: "fs1", engine: "freeswitch", connected: true, sessions: 0, rooms: 0 },
    { node: "fs2", engine: "freeswitch", connected: true, sessions: 0, rooms: 0 },
    { node: "ast", engine: "asterisk", connected: false, sessions: 0, rooms: 0 },
  ]);
  const [here, first] = [await stage.sandbox(), await call(replays.fs1)];
  const room_id = await stage.room("standup");
  expect(room_id).toMatch(/^fs2-room-/);
  const second = await call(replays.fs2);
  expect([here, first, second].map((id) => id.slice(0, id.indexOf("-")))).toEqual([embedded, "fs1", "fs2"]);
  expect(await counts()).toEqual([
    [embedded, 1, 0],
    ["fs1", 1, 0],
    ["fs2", 1, 1],
    ["ast", 0, 0],
  ]);

  await stage.done(first, "answer", { command_uid: "take" });
  expect([answers(replays.fs1), answers(replays.fs2)]).toEqual([[true], [false]]);
  const { status, body } = await stage.command(first, "conference/join", { room_id });
  expect([status, body?.error, body?.detail]).toEqual([409, "Room is on another media server", { node: "fs2" }]);
  const beside = await stage.app("POST", "/conferences", { name: "beside", session_uuid: first });
  expect(beside.body?.room_id).toMatch(/^fs1-room-/);
  await stage.done(first, "conference/join", { room_id: String(beside.body?.room_id), command_uid: "in" });
  const nobody = `ast-${here.slice(-36)}`;
  expect((await stage.command(nobody, "answer")).status).toBe(404);

  await replays.fs2.kill();
  await listed(({ node, connected }) => connected === (node !== "ast" && node !== "fs2"));
  const { status: unavailable, body: error } = await stage.command(second, "answer", {}, true);
  expect([unavailable, error?.error]).toEqual([503, "Media server unavailable"]);
  await stage.taken(here, "hangup");
  await stage.receiver.event("call.hangup", here);
  expect(await stage.room("elsewhere")).toMatch(new RegExp(`^${embedded}-room-`));

  await replays.fs2.restart();
  const { data } = await stage.receiver.event("call.hangup", second);
  expect(data).toMatchObject({ cause: "MEDIA_SERVER_LOST", by: "gateway" });
  await stage.taken(first, "hangup");
  await stage.receiver.event("call.hangup", first);
  expect(stage.receiver.events.filter(({ event }) => event === "call.hangup")).toHaveLength(3);
});
