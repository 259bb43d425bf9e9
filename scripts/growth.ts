/** `node dist/scripts/growth.js`: does anything grow with the number of calls that have been? */
import { parseArgs } from "node:util";
import { print } from "./bench/report";
import { growth } from "./growth/run";

const usage = `Usage: node dist/scripts/growth.js [options]

  --calls <n>    calls that count (20000)
  --at-once <n>  at a time (50)
  --json         figures for a machine instead of a table
  --help         this text

About ten minutes for 20000. Ends with 1 when something has grown.
`;

const warmUp = 1000;

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name} ${text}: a whole number from 1`);
  return value;
}

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      calls: { type: "string", default: "20000" },
      "at-once": { type: "string", default: "50" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const calls = count(values.calls, "calls");
  const atOnce = count(values["at-once"], "at-once");
  const progress = (line: string) => process.stderr.write(`${line}\n`);
  const { rows, grown, seconds } = await growth({ calls, atOnce, warmUp, sip: true, progress });
  if (values.json) process.stdout.write(`${JSON.stringify({ calls, atOnce, seconds, grown, rows }, null, 2)}\n`);
  else {
    const figure = (value: number | null) => (value === null ? "-" : String(Math.round(value)));
    process.stdout.write(
      print({
        title: `Growth: ${calls} calls, ${atOnce} at a time, ${seconds.toFixed(0)} s`,
        columns: ["", "before", "after", "may be more by", ""],
        rows: rows.map((row) => [
          row.name,
          figure(row.before),
          figure(row.after),
          figure(row.allowed),
          row.grown ? "GROWN" : "",
        ]),
        notes: [
          "After all calls were over, the store's clock was put past every retention and everything was collected.",
          grown ? "Something grows." : "Nothing grows.",
        ],
      }),
    );
  }
  if (grown) process.exitCode = 1;
}

run().catch((error: unknown) => {
  if (error instanceof TypeError) process.stderr.write(`${error.message}\n${usage}`);
  else console.error(error);
  process.exit(1);
});
