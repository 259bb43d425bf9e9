import type { Admission, Loaded, Session } from "../../src/store/store";
import { chances, type Loses, repeating } from "./repeating";
import { appPut, commandOf, commitOf, eventOf, requestOf, type Subject, sessionOf } from "./samples";

/** One call of the store: what was asked, the outcome in a word where there is one, and everything else it told. */
export interface Told {
  readonly asked: string;
  readonly answer: string | boolean | null;
  readonly more: unknown;
}

/** Quota is left out: that a read counts twice when it runs twice is allowed. */
function toldOf(asked: string, answer: Admission): Told {
  if (answer.outcome === "key") return { asked, answer: answer.outcome, more: null };
  const { quota: _, outcome, ...more } = answer;
  return { asked, answer: outcome, more };
}

/**
 * A random walk of a session core and an API over a few apps and calls, the same for the same seed as long as the store
 * answers the same.
 */
export async function walk(subject: Subject, loses: Loses, seed: number, steps: number): Promise<Told[]> {
  const store = repeating(subject.store, loses);
  const chance = chances(seed);
  const pick = (count: number) => Math.floor(chance() * count);
  const start = await store.now();
  const told: Told[] = [];
  const tell = (asked: string, answer: Told["answer"], more: unknown = null) => told.push({ asked, answer, more });
  const appId = () => `app${pick(2)}`;
  /** The app of each call, which is numbered by its place here. */
  const owners: string[] = [];
  let made = 0;

  async function change(loaded: Loaded | null): Promise<void> {
    if (loaded === null) return;
    const { session } = loaded;
    const [operation, ...operations] = session.operations;
    const sequence = session.sequence + 1;
    let changes: Partial<Session> = { sequence };
    let decided: Parameters<typeof commitOf>[2] = {};
    if (operation !== undefined) {
      const status = ([202, 504, "free"] as const)[pick(3)] ?? 202;
      changes = { ...changes, operations };
      decided = { decided: [{ operation, status }] };
    }
    if (chance() < 0.1) changes = { ...changes, state: "ended", operations: [] };
    const commit = {
      ...commitOf(loaded, changes, { events: [eventOf(sequence)], ...decided }),
      nonce: `nonce${made++}`,
    };
    tell("commit", await store.commit(commit));
    // Another writer on what was read before.
    if (chance() < 0.2) tell("late commit", await store.commit({ ...commit, nonce: `nonce${made++}` }));
  }

  for (let step = 0; step < steps; step++) {
    const app_id = appId();
    const number = owners.length - 1 - pick(6);
    const session_uuid = `call${number}`;
    const kind = pick(200) / 2;
    if (kind < 4) {
      const settings = appPut(app_id, { dids: [`${pick(3)}*`] }).settings;
      const created = { digest: `digest of ${app_id}`, secret: `secret${made++}` };
      const { outcome, ...more } = await store.putApp({ settings, digest: null, created });
      tell("putApp", outcome, more);
    } else if (kind < 6) {
      tell("rotateSecret", await store.rotateSecret(app_id, `secret${made++}`, 500));
    } else if (kind < 6.5) {
      const close = { app_id, nonce: `nonce${made++}`, keep_ms: 200 };
      tell("closeApp", null, await store.closeApp(close));
    } else if (kind < 7.5) {
      tell("app", null, [await store.app(app_id), await store.apps()]);
    } else if (kind < 14) {
      const state = chance() < 0.3 ? "ringing" : "answered";
      const session = sessionOf(`call${owners.push(app_id) - 1}`, { app_id, created_at: await store.now(), state });
      tell("createSession", await store.createSession(session, [eventOf(1)]));
    } else if (kind < 70) {
      const by = chance() < 0.9 ? (owners[number] ?? app_id) : app_id;
      const uid_given = chance() < 0.7;
      const command = commandOf({
        operation_id: `operation${made++}`,
        command_uid: `uid${pick(3)}`,
        uid_given,
        fingerprint: `fingerprint${pick(2)}`,
        guards: chance() < 0.3 ? [{ field: "state", is: "answered", refusal: "not answered" }] : [],
        cooldown: chance() < 0.3 ? { group: `group${pick(2)}`, ms: 50 } : null,
        timeout_ms: 100,
      });
      tell(
        "admit",
        ...answerOf(await store.admit(requestOf({ app_id: by, session_uuid, command, default_rate_limit: 1e9 }))),
      );
    } else if (kind < 88) {
      const loaded = await store.load(session_uuid);
      tell("load", null, loaded);
      await change(loaded);
    } else if (kind < 92) {
      tell("sessions", null, await store.sessions(app_id, 3, null));
      tell("appForDid", null, await store.appForDid(`${pick(3)}00`));
    } else if (kind < 95) {
      tell("overdue", null, await store.overdue(5));
      await store.sweep();
    } else {
      await subject.advance(pick(60));
      tell("now", null, (await store.now()) - start);
    }
  }
  tell("appsWithEvents", null, await store.appsWithEvents());
  return told;

  function answerOf(admission: Admission): [Told["answer"], unknown] {
    const { answer, more } = toldOf("admit", admission);
    return [answer, more];
  }
}
