/** `node dist/scripts/chaos.js`: is anything lost when gateways are killed, and Redis, again and again? */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { type Disturbance, disturbances } from "./chaos/disturbances";
import { chaos } from "./chaos/run";
import { printed } from "./chaos/verdict";

const usage = `Usage: node dist/scripts/chaos.js [options]

  --kills <n>         gateways killed, at least (200; with --redis 0)
  --naps <n>          gateways put to sleep for a while, some for longer than they may be away (20; with --redis 0)
  --sessions <n>      calls, at least (1000; with --redis 300)
  --events <n>        events, at least (40000; with --redis 10000)
  --gateways <n>      at a time, at least 2 (4; with --redis 2)
  --at-once <n>       calls at a time (50)
  --redis <what>      what happens to Redis: kill, pause, cut, or all of them; several by commas
  --times <n>         how often something happens to it (30)
  --appendfsync <how> always, or everysec: then a killed Redis forgets its last second, as with a machine that loses its
                      power, and what is missing is told, and no failure (always)
  --seed <n>          of an earlier run: the same decisions again
  --logs <folder>     where the gateways' logs go, and stay
  --json              figures for a machine instead of a table
  --help              this text

About ten minutes. Ends with 1 when something was lost. Needs redis-server and a Linux.
`;

function count(text: string, name: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new TypeError(`--${name} ${text}: a whole number from ${least}`);
  return value;
}

function kinds(text: string): readonly Disturbance[] {
  if (text === "all") return disturbances;
  return text.split(",").map((name) => {
    const kind = disturbances.find((each) => each === name);
    if (!kind) throw new TypeError(`--redis ${text}: ${disturbances.join(", ")}, or all`);
    return kind;
  });
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: "string" },
      naps: { type: "string" },
      sessions: { type: "string" },
      events: { type: "string" },
      gateways: { type: "string" },
      "at-once": { type: "string", default: "50" },
      redis: { type: "string" },
      times: { type: "string", default: "30" },
      appendfsync: { type: "string", default: "always" },
      seed: { type: "string" },
      logs: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const { appendfsync } = values;
  if (appendfsync !== "always" && appendfsync !== "everysec")
    throw new TypeError(`--appendfsync ${appendfsync}: always, or everysec`);
  const redis = values.redis === undefined ? [] : kinds(values.redis);
  const disturbed = redis.length > 0;
  const seed = values.seed === undefined ? randomInt(2 ** 31) : count(values.seed, "seed", 0);
  process.stderr.write(`seed ${seed}\n`);
  const outcome = await chaos({
    seed,
    kills: count(values.kills ?? (disturbed ? "0" : "200"), "kills", 0),
    naps: count(values.naps ?? (disturbed ? "0" : "20"), "naps", 0),
    sessions: count(values.sessions ?? (disturbed ? "300" : "1000"), "sessions", 1),
    events: count(values.events ?? (disturbed ? "10000" : "40000"), "events", 1),
    gateways: count(values.gateways ?? (disturbed ? "2" : "4"), "gateways", 2),
    atOnce: count(values["at-once"], "at-once", 1),
    redis,
    disturbances: disturbed ? count(values.times, "times", 1) : 0,
    appendfsync,
    logs: values.logs ?? null,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(values.json ? `${JSON.stringify(outcome, null, 2)}\n` : printed(outcome));
  if (outcome.faults.length > 0) process.exitCode = 1;
}

run().catch((error: unknown) => {
  if (error instanceof TypeError) process.stderr.write(`${error.message}\n${usage}`);
  else console.error(error);
  process.exit(1);
});
