/** What a deployment keeps in Redis: keys and bytes of each thing that there are many of. */
import { randomBytes, randomUUID } from "node:crypto";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import type { Commit, Loaded, Session, StoredEvent } from "../../src/store/store";
import { Redis } from "./redis";
import { type Section, whole } from "./report";

const many = 2000;
const perCall = 10;
/** Of the body of a webhook: a `playback.started` with one address. */
const bodyBytes = 390;
const app_id = "sizing";

interface Size {
  readonly keys: number;
  readonly bytes: number;
}

function eventOf(source: string, sequence: number): StoredEvent {
  const head = `{"event":"playback.started","session_uuid":"${source}","sequence":${sequence},"pad":"`;
  const body = `${head.padEnd(bodyBytes - 2, "x")}"}`;
  return {
    sequence,
    id: `${source}.${sequence}`,
    event: "playback.started",
    body,
    created_at: Date.now(),
    room_id: null,
  };
}

function sessionOf(node: string): Session {
  return {
    session_uuid: `${node}-${randomUUID()}`,
    app_id,
    node,
    state: "answered",
    direction: "inbound",
    caller_id: "+15550100",
    did: "+15550199",
    created_at: Date.now(),
    answered_at: Date.now(),
    playback: null,
    collecting: null,
    room: null,
    recording: null,
    unfinished: [],
    operations: [],
    sequence: 0,
  };
}

function commitOf({ state, version, revision }: Loaded<Session>, changes: Partial<Commit<Session>>): Commit<Session> {
  const nonce = randomUUID();
  const same = { id: state.session_uuid, app_id, version, revision, fence: null, nonce, state };
  return { ...same, life: "live", events: [], decided: [], ...changes };
}

export async function benchSizing(progress: (line: string) => void): Promise<Section> {
  const redis = await Redis.start();
  const { REDIS_URL: url } = redis.env();
  const store = new RedisStore({ url, secretsKey: randomBytes(32), log: createLog("silent") });
  const rows: (readonly [string, Size])[] = [];
  const node = randomBytes(6).toString("hex");
  const sessions = Array.from({ length: many }, () => sessionOf(node));

  /** What `many` of something take, each. */
  async function step(name: string, count: number, work: () => Promise<unknown>): Promise<void> {
    progress(`sizing: ${name}`);
    const before = await redis.size(url);
    await work();
    const after = await redis.size(url);
    rows.push([name, { keys: (after.keys - before.keys) / count, bytes: (after.bytes - before.bytes) / count }]);
  }
  const each = (work: (session: Session) => Promise<unknown>): Promise<unknown> => inTurn(sessions, work);
  async function loaded({ session_uuid }: Session): Promise<Loaded<Session>> {
    const found = await store.loadSession(session_uuid);
    if (found === null) throw new Error(`${session_uuid} is not found`);
    return found;
  }
  const putApp = (id: string, webhook_url: string) =>
    store.putApp({
      settings: { app_id: id, webhook_url, rate_limit: 0, events: [], dids: [] },
      digest: null,
      created: { digest: randomBytes(32).toString("base64url"), secret: `whsec_${randomBytes(24).toString("base64")}` },
    });
  const commitEvents = (session: Session) =>
    loaded(session).then((found) => {
      const { sequence } = found.state;
      const events = Array.from({ length: perCall }, (_, i) => eventOf(session.session_uuid, sequence + i + 1));
      return store.commit(commitOf(found, { events, state: { ...found.state, sequence: sequence + perCall } }));
    });

  const digest = "digest";
  try {
    await step("an app", many, () =>
      inTurn(sessions, ({ session_uuid }) => putApp(session_uuid.slice(-36), "https://receiver.example/hook")),
    );
    await store.putApp({
      settings: { app_id, webhook_url: "https://receiver.example/hook", rate_limit: 0, events: [], dids: [] },
      digest,
      created: { digest, secret: "whsec_sizing" },
    });
    await step("a live call", many, () => each((session) => store.createSession(session, [])));
    await step(`an event of ${bodyBytes} bytes that waits for its delivery`, many * perCall, () => each(commitEvents));
    await step("the same once it was delivered, more than before", many * perCall, () => deliver(store));
    await step("a command_uid that is remembered", many, () =>
      each(async (session) => {
        const command = {
          command: "playback/start",
          operation_id: randomUUID(),
          command_uid: randomUUID(),
          uid_given: true,
          fingerprint: randomBytes(32).toString("base64url"),
          barred: null,
          guards: [],
          cooldown: null,
          timeout_ms: 2000,
        };
        const { session_uuid } = session;
        const request = { app_id, digest, address: "127.0.0.1", default_rate_limit: 1e9, held: false, ended: false };
        const answer = await store.admit({ ...request, session_uuid, room_id: null, command });
        if (answer.outcome !== "admitted" || answer.session === null) throw new Error(answer.outcome);
        const [operation] = answer.session.state.operations;
        if (operation === undefined) throw new Error("nothing is pending");
        const state = { ...answer.session.state, operations: [] };
        return store.commit(commitOf(answer.session, { state, decided: [{ operation, status: 202 }] }));
      }),
    );
    await step("a call that has ended, less than before", many, () =>
      each(async (session) => {
        const found = await loaded(session);
        const state = { ...found.state, state: "ended" as const };
        return store.commit(commitOf(found, { state, life: "ended" }));
      }),
    );
  } finally {
    await store.close();
    await redis.stop();
  }
  return {
    title: `Sizing: what stands in Redis, of ${many} calls with ${perCall} events each`,
    columns: ["", "keys", "bytes"],
    rows: rows.map(([name, { keys, bytes }]) => [name, keys.toFixed(2), whole(bytes)]),
    notes: ["Redis' own used_memory, indices included. Ended calls and their events go after EVENT_RETENTION_SECONDS."],
    figures: Object.fromEntries(rows),
  };
}

/** Some at a time: so many answers are under way at once. */
async function inTurn<T>(all: readonly T[], work: (each: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < all.length; i += 50) await Promise.all(all.slice(i, i + 50).map(work));
}

async function deliver(store: RedisStore): Promise<void> {
  const turn = { app_id, want: 64, limit: 64, lease_ms: 10_000 };
  for (let { taken } = await store.turn({ ...turn, settled: [] }); taken.length > 0; ) {
    const settled = taken.map(({ queue, token, event }) => {
      return { queue, token, sequence: event.sequence, verdict: "delivered" as const };
    });
    ({ taken } = await store.turn({ ...turn, settled }));
  }
}
