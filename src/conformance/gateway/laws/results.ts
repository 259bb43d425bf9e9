/** What is owed for all commands of a run, looked at when it is over: one result for each, in time, and none for nothing. */
import { commandFailures, operations } from "../../../../generated/operations";
import { Broken, type Check, Skipped } from "../../check";
import type { Delivery } from "../ground/endpoint";
import type { Promise202 } from "../ground/ledger";
import type { World } from "../world";

/** Beyond its deadline, and as many times what a machine that has much to do adds to everything. */
const graceMs = 1500;
const graceTimes = 3;
/** How long before and after a result is looked for what else was late. */
const aroundMs = 10_000;
/** For what is still on its way when the last check is over. */
const patienceMs = 20_000;

interface Owed extends Promise202 {
  readonly results: readonly Delivery[];
}

const clause = "session commands: each 202 is followed by exactly one command.result";
const about = { clause, profile: "minimal", last: true } as const;

export const results: readonly Check<World>[] = [
  {
    ...about,
    id: "results/one-each",
    title: "Each command that was taken has exactly one result",
    async run(world) {
      const owed = await accounts(world);
      fail(
        owed.filter(({ results }) => results.length !== 1),
        ({ results }) => `${results.length} results`,
      );
    },
  },
  {
    ...about,
    id: "results/deadline",
    title: "A result comes before the deadline that the 202 named",
    async run(world) {
      const owed = await accounts(world);
      const late = owed.filter(
        (each) => lateBy(each) > graceMs && lateBy(each) > graceMs + graceTimes * busyMs(world, each),
      );
      fail(late, (each) => `a result ${Math.round(lateBy(each))} ms too late`);
      // A busy machine is late now and then; what is late as a rule is not the machine.
      for (const [name, all] of byCommand(owed)) {
        const behind = all.filter((each) => lateBy(each) > 0 && lateBy(each) > busyMs(world, each));
        if (behind.length > 1 && behind.length * 2 > all.length)
          fail(behind, () => `most results of ${name} after their deadline`);
      }
    },
  },
  {
    ...about,
    id: "results/of-the-command",
    title: "A result names the command, its uid and its operation as they were given",
    async run(world) {
      const wrong = (await accounts(world)).filter(({ results, operation, command_uid, source }) =>
        results.some(({ data, source: own }) => {
          const named = data.command === operations[operation].command.name && own === source;
          return !named || (command_uid !== null && data.command_uid !== command_uid);
        }),
      );
      fail(wrong, ({ results }) => JSON.stringify(results[0]?.data));
    },
  },
  {
    ...about,
    id: "results/failures",
    title: "A result that is no success has an error and a code of the catalogue that belong together",
    async run(world) {
      const told: Readonly<Record<string, string>> = commandFailures;
      const wrong = (await accounts(world)).filter(({ results }) =>
        results.some(({ data }) => data.success !== true && told[String(data.error)] !== data.code),
      );
      fail(wrong, ({ results }) => JSON.stringify(results[0]?.data));
    },
  },
  {
    ...about,
    id: "results/operations",
    title: "No two commands have the same operation_id",
    async run(world) {
      const seen = new Set<string>();
      const doubled = taken(world).filter(({ operation_id: id }) => seen.has(id) || !seen.add(id));
      fail(doubled, ({ operation_id }) => `${operation_id} a second time`);
    },
  },
  {
    ...about,
    id: "results/timeout",
    title: "timeout_ms is what the document says, and the same for all commands of COMMAND_TIMEOUT_MS",
    clause: "session commands: timeout_ms",
    async run(world) {
      const all = taken(world);
      const configured = all.filter(({ operation }) => typeof operations[operation].command.timeout_ms !== "number");
      const usual = mostFrequent(configured.map(({ timeout_ms }) => timeout_ms));
      const wanted = ({ operation }: Promise202) => {
        const { timeout_ms } = operations[operation].command;
        return typeof timeout_ms === "number" ? timeout_ms : usual;
      };
      fail(
        all.filter((each) => each.timeout_ms !== wanted(each)),
        (each) => `timeout_ms ${each.timeout_ms}, not ${wanted(each)}`,
      );
    },
  },
  {
    ...about,
    id: "results/unasked",
    title: "There is no result of a command that was refused",
    async run(world) {
      const refused = world.client.ledger.refused;
      const wrong = answering(world).flatMap((app) =>
        app.endpoint.events.filter(({ event, source, data }) => {
          return event === "command.result" && refused.has(`${source} ${data.command_uid}`);
        }),
      );
      if (wrong.length === 0) return;
      throw new Broken({ expected: "none", got: `${wrong.length}`, seen: wrong.map(({ text }) => text) });
    },
  },
];

/** Apps whose events all come: of those that are refused, filtered or deleted some are not sent. */
function answering(world: World) {
  return world.apps.filter((app) => {
    const { deliveries } = app.endpoint;
    const lately = Date.now() - 1000;
    if (world.client.ledger.deleted.has(app.app_id)) return false;
    return app.hears && deliveries.every(({ status, at }) => (status === null ? at > lately : status < 300));
  });
}

function taken(world: World): readonly Promise202[] {
  const all = world.client.ledger.promises;
  if (all.length === 0) throw new Skipped("No command was taken.");
  return all;
}

/** Each command of apps that hear everything, with its results. */
function accounts(world: World): Promise<readonly Owed[]> {
  return world.once("accounts", async () => {
    const apps = new Map(answering(world).map((app) => [app.app_id, app]));
    const mine = taken(world).filter(({ app_id }) => apps.has(app_id));
    const results = ({ app_id, operation_id }: Promise202) => {
      const { events } = apps.get(app_id)?.endpoint ?? { events: [] };
      return events.filter(({ event, data }) => event === "command.result" && data.operation_id === operation_id);
    };
    for (const [app_id, { endpoint }] of apps) {
      const own = mine.filter((each) => each.app_id === app_id);
      await endpoint.within(patienceMs, () => (own.every((each) => results(each).length > 0) ? true : undefined));
    }
    return mine.map((each) => ({ ...each, results: results(each) }));
  });
}

/** How long after its deadline the result came; -Infinity: it did not. */
function lateBy({ results: [first], sent, timeout_ms }: Owed): number {
  return first ? first.at - sent - timeout_ms : Number.NEGATIVE_INFINITY;
}

/** How long everything else took at that time: answers, and events on their way. */
function busyMs(world: World, { at, results: [result] }: Owed): number {
  const near = (time: number) => time > at - aroundMs && time < (result?.at ?? at) + aroundMs;
  const deliveries = world.apps
    .flatMap(({ endpoint }) => endpoint.events)
    .filter(({ event }) => event !== "command.result");
  // Between both clocks lies as much as between the sending and the coming of the quickest.
  const skew = Math.min(...deliveries.map((each) => each.at - Date.parse(each.timestamp)));
  const ways = deliveries.filter((each) => near(each.at)).map((each) => each.at - Date.parse(each.timestamp) - skew);
  const answers = world.client.ledger.promises.filter((each) => near(each.at)).map((each) => each.at - each.sent);
  return Math.max(0, ...ways, ...answers);
}

function byCommand(owed: readonly Owed[]): Map<string, Owed[]> {
  const groups = new Map<string, Owed[]>();
  for (const each of owed) {
    const { name } = operations[each.operation].command;
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  return groups;
}

function mostFrequent(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function fail<T extends Promise202>(wrong: readonly T[], got: (each: T) => string): void {
  const [first] = wrong;
  if (!first) return;
  const { name } = operations[first.operation].command;
  const lines = wrong
    .slice(0, 10)
    .map((each) => `${operations[each.operation].command.name} ${each.operation_id}: ${got(each)}`);
  throw new Broken({
    expected: "none otherwise",
    got: `${wrong.length} commands, first ${name}: ${got(first)}`,
    exchanges: [first.answer.exchange],
    seen: lines,
  });
}
