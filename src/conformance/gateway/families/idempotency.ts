/** A `command_uid` names one command for 24 hours: what is repeated is answered again and not done again. */
import { randomUUID } from "node:crypto";
import { operations } from "../../../../generated/operations";
import type { Check } from "../../check";
import { type Commands, expectStatus } from "../ground/app";
import type { Answer } from "../ground/client";
import { expectSame, expectThat } from "../ground/expectation";
import { commands } from "../ground/ledger";
import { onCall, withCalls } from "../ground/on_call";
import { defaultsFor, otherwise } from "../requests/recipes";
import { specimen } from "../requests/specimens";
import type { World } from "../world";

const clause = "order of checks, step 10";

export const idempotency: readonly Check<World>[] = [
  ...commands.flatMap(ofCommand),
  onCall({
    id: "idempotency/json",
    title: "The same body in other words, with its fields in another order, is a repeat",
    clause,
    async run({ app, call }) {
      const taken = await call.command("playSilence", { command_uid: "hush", duration_ms: 30_000 });
      const body = '{\n "duration_ms": 3e4,\t"command_uid": "\\u0068ush" }';
      const headers = { ...app.headers, "Content-Type": "application/json; charset=utf-8" };
      const again = await app.world.request({ method: "POST", path: call.pathOf("playSilence"), headers, body });
      expectReplay(taken, again);
    },
  }),
  onCall({
    id: "idempotency/json/leave",
    title: "A body that is ignored makes no other command",
    clause,
    async run({ app, call }) {
      const room = await app.room(call.source);
      const path = room.pathOf("stopRoom");
      const send = (body: string, type: string) =>
        app.world.request({ method: "POST", path, headers: { ...app.headers, "Content-Type": type }, body });
      const taken = await send('{"command_uid":"quiet"}', "application/json");
      expectReplay(taken, await send('{"command_uid":"quiet"}', "application/json"));
      const other = await send('{"command_uid":"quiet"}', "text/plain");
      const free = other.status === 202 || other.body?.code === "command_rate_limited";
      expectThat(free && other.headers["idempotent-replayed"] === undefined, "no repeat", other.status, {
        answers: [other],
      });
      await room.close();
    },
  }),
  {
    id: "idempotency/own-session",
    title: "A uid that one call has had is free for another call, and for a room",
    clause,
    profile: "full",
    run: (world) =>
      withCalls(world, 2, async ({ app, calls }) => {
        const uid = randomUUID();
        const room = await app.room(calls[0]?.source);
        const answers = [];
        for (const call of calls) answers.push(await call.command("answer", { command_uid: uid }));
        answers.push(await room.command("stopRoom", { command_uid: uid }));
        for (const answer of answers) expectNew(answer);
        const ids = answers.map(({ body }) => body?.operation_id);
        expectSame("operations of their own:", new Set(ids).size, ids.length, { answers });
        for (const [at, call] of calls.entries()) {
          const result = await app.endpoint.result(String(ids[at]));
          expectSame("whose event the result is:", result.source, call.source, { of: call });
        }
        await room.close();
      }),
  },
  onCall({
    id: "idempotency/after-400",
    title: "A request that is refused for a field leaves its uid free",
    clause,
    async run({ call }) {
      expectStatus(await call.command("playSilence", { command_uid: "one", duration_ms: 0 }), 400);
      expectNew(await call.command("playSilence", { command_uid: "one", duration_ms: 20_000 }));
    },
  }),
  onCall({
    id: "idempotency/after-409",
    title: "A request that is refused for the state of the call leaves its uid free",
    clause,
    async run({ app, call }) {
      expectStatus(await call.command("leaveRoom", { command_uid: "one" }), 409);
      const room = await app.room(call.source);
      expectNew(await call.command("joinRoom", { command_uid: "one", room_id: room.source }));
    },
  }),
  onCall({
    id: "idempotency/after-429",
    title: "A request that is refused for a cooldown leaves its uid free",
    clause,
    async run({ call }) {
      expectNew(await call.command("playSilence", { command_uid: "one", duration_ms: 20_000 }));
      const refused = await call.command("playSilence", { command_uid: "two", duration_ms: 20_000 });
      // A machine that needs half a second for two requests has no cooldown left to refuse for.
      if (refused.status === 429) expectNew(await call.command("answer", { command_uid: "two" }));
    },
  }),
  onCall({
    id: "idempotency/after-reuse",
    title: "A uid that was refused for another command is still that of the first",
    clause,
    async run({ call }) {
      const taken = await call.command("playSilence", { command_uid: "one", duration_ms: 20_000 });
      expectReused(await call.command("playSilence", { command_uid: "one", duration_ms: 10_000 }));
      expectReplay(taken, await call.command("playSilence", { command_uid: "one", duration_ms: 20_000 }));
    },
  }),
  onCall({
    id: "idempotency/after-the-end",
    title: "Of a call that has ended a uid that was seen is answered as before, and any other is not found",
    clause,
    async run({ call }) {
      const taken = await call.command("answer", { command_uid: "one" });
      await call.hangup();
      expectReplay(taken, await call.command("answer", { command_uid: "one" }));
      expectReused(await call.command("stopPlayback", { command_uid: "one" }));
      const fresh = await call.command("answer", { command_uid: "two" });
      expectSame("code", fresh.body?.code, "session_not_found", { answers: [fresh] });
    },
  }),
  onCall({
    id: "idempotency/twins",
    title: "Of many that come at once with one uid, one is done and the others are its repeats or have to wait",
    clause,
    async run({ call }) {
      const body = { command_uid: "twin", duration_ms: 20_000 };
      const answers = await Promise.all(Array.from({ length: 8 }, () => call.command("playSilence", body)));
      const first = answers.filter(({ status, headers }) => status === 202 && !headers["idempotent-replayed"]);
      expectSame("how many were taken and are no repeat:", first.length, 1, { answers });
      const [taken] = first;
      for (const answer of answers) {
        if (!taken || answer === taken) continue;
        if (answer.status === 202) expectReplay(taken, answer);
        else expectSame("code", answer.body?.code, "command_uid_pending", { answers: [answer] });
      }
      await call.event("playback.started");
      await call.hangup();
      expectSame("how many playbacks began:", call.named("playback.started").length, 1, { of: call });
    },
  }),
];

function ofCommand(command: Commands): Check<World>[] {
  const { name } = operations[command].command;
  const own = { clause, profile: "full" as const, limitMs: 60_000 };
  const checks: Check<World>[] = [
    {
      ...own,
      id: `idempotency/${command}/replayed`,
      title: `${name} with the same uid and body has the same answer once more, marked as a replay`,
      async run(world) {
        const { taken, again } = await specimen(world, command);
        expectReplay(taken, await again);
      },
    },
    {
      ...own,
      id: `idempotency/${command}/another-command`,
      title: `The uid of ${name} is refused for another command`,
      async run(world) {
        const { taken, elsewhere } = await specimen(world, command);
        expectStatus(taken, 202);
        expectReused(await elsewhere);
      },
    },
    {
      ...own,
      id: `idempotency/${command}/once`,
      title: `${name} is done once, however often it is repeated`,
      async run(world) {
        const { taken, uid, subject, ...made } = await specimen(world, command);
        expectStatus(taken, 202);
        const events = await made.events;
        const given = new Set(world.client.ledger.promises.map(({ operation_id }) => operation_id));
        const foreign = events
          .filter(({ event, data }) => event === "command.result" && !given.has(String(data.operation_id)))
          .map(({ data }) => data);
        expectSame("results of commands that nobody gave:", foreign, [], { of: subject });
        const seen = new Set<string>();
        for (const { event, data } of events) {
          if (data.command_uid !== uid) continue;
          expectThat(!seen.has(event), `one ${event} of ${name}`, "another one", { of: subject });
          seen.add(event);
        }
      },
    },
  ];
  if (otherwise(command))
    checks.push({
      ...own,
      id: `idempotency/${command}/another-body`,
      title: `${name} with the same uid and another field is refused`,
      async run(world) {
        const { taken, other } = await specimen(world, command);
        expectStatus(taken, 202);
        if (other) expectReused(await other);
      },
    });
  if (Object.keys(defaultsFor(command, {})).length > 0)
    checks.push({
      ...own,
      id: `idempotency/${command}/defaults`,
      title: `${name} is the same with its defaults written out`,
      async run(world) {
        const { taken, spelled } = await specimen(world, command);
        if (spelled) expectReplay(taken, await spelled);
      },
    });
  return checks;
}

/** @throws Broken unless the second is the first one once more, byte for byte */
function expectReplay(first: Answer, again: Answer): void {
  const about = { answers: [first, again] };
  expectStatus(first, 202);
  expectSame("status of a repeat", again.status, 202, about);
  expectSame("the very bytes of the first answer:", again.bytes.toString("utf8"), first.bytes.toString("utf8"), about);
  expectSame("Idempotent-Replayed", again.headers["idempotent-replayed"], "true", about);
}

/** @throws Broken unless it was taken for a command of its own */
function expectNew(answer: Answer): void {
  expectStatus(answer, 202);
  expectSame("Idempotent-Replayed", answer.headers["idempotent-replayed"], undefined, { answers: [answer] });
}

function expectReused(answer: Answer): void {
  expectSame("code", answer.body?.code, "command_uid_reused", { answers: [answer] });
}
