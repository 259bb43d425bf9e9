/** What holds for each command: it is taken, and has one result that carries it. */
import { operations } from "../../../../generated/operations";
import type { Check } from "../../check";
import { type Commands, expectStatus } from "../ground/app";
import { expectFields, expectSame, expectThat } from "../ground/expectation";
import { commands } from "../ground/ledger";
import { onCall } from "../ground/on_call";
import { specimen } from "../requests/specimens";
import type { World } from "../world";

const v4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const commandChecks: readonly Check<World>[] = [
  ...commands.flatMap(ofCommand),
  onCall({
    id: "commands/uid-made-up",
    title: "A command without a uid gets a uuid, which its result and its events carry",
    clause: "command_uid",
    ringing: true,
    async run({ call }) {
      const result = await call.done("answer");
      const uid = String(result.data.command_uid);
      expectThat(v4.test(uid), "a uuid as command_uid", uid, { of: call });
      const answered = await call.event("call.answered");
      expectSame("call.answered: command_uid", answered.data.command_uid, uid, { of: call });
    },
  }),
  onCall({
    id: "commands/uid-longest",
    title: "A uid of 128 characters is taken and comes back as it is",
    clause: "command_uid",
    async run({ call }) {
      const uid = "aZ0._-".repeat(22).slice(0, 128);
      const result = await call.done("answer", { command_uid: uid });
      expectSame("command.result: command_uid", result.data.command_uid, uid, { of: call });
    },
  }),
  onCall({
    id: "commands/no-body",
    title: "A command without required fields takes no body, an empty one and an empty object alike",
    clause: "order of checks, step 7",
    async run({ app, call }) {
      const path = call.pathOf("answer");
      for (const body of [null, "", {}]) {
        const answer = await app.world.request({ method: "POST", path, headers: app.headers, body });
        expectStatus(answer, 202);
        await app.endpoint.result(String(answer.body?.operation_id));
      }
    },
  }),
];

function ofCommand(command: Commands): Check<World>[] {
  const { name, timeout_ms } = operations[command].command;
  const own = { clause: command, profile: "full" as const, limitMs: 60_000 };
  return [
    {
      ...own,
      id: `commands/${command}/taken`,
      title: `${name} is taken, with an operation_id of its own`,
      async run(world) {
        const { taken, uid } = await specimen(world, command);
        const about = { answers: [taken] };
        expectStatus(taken, 202);
        expectThat(v4.test(String(taken.body?.operation_id)), "a uuid as operation_id", taken.body, about);
        expectThat(taken.body?.operation_id !== uid, "an operation_id that is not the command_uid", uid, about);
        if (typeof timeout_ms === "number") expectSame("timeout_ms", taken.body?.timeout_ms, timeout_ms, about);
        expectSame("Idempotent-Replayed", taken.headers["idempotent-replayed"], undefined, about);
      },
    },
    {
      ...own,
      id: `commands/${command}/result`,
      title: `${name} has a result that says what it is of, and that it was done`,
      async run(world) {
        const { taken, uid, subject, ...made } = await specimen(world, command);
        expectStatus(taken, 202);
        const { data, source } = await made.result;
        const about = { answers: [taken], of: subject };
        expectSame("whose event the result is:", source, subject.source, about);
        expectFields("command.result", data, { command: name, command_uid: uid, success: true }, about);
      },
    },
  ];
}
