/** `npm run bench`: what the gateway costs, beside others where there are others. */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { benchCalls } from "./bench/calls";
import { benchDeliveries } from "./bench/deliveries";
import { benchEngines } from "./bench/engines";
import { benchHttp } from "./bench/http";
import { benchMedia } from "./bench/media";
import { benchRecordings } from "./bench/recordings";
import { print, type Section } from "./bench/report";
import { benchRooms } from "./bench/rooms";
import { benchSessions } from "./bench/sessions";
import { benchSizing } from "./bench/sizing";
import { benchTarpit } from "./bench/tarpit";

const parts = {
  http: benchHttp,
  deliveries: benchDeliveries,
  calls: benchCalls,
  media: benchMedia,
  rooms: benchRooms,
  recordings: benchRecordings,
  sessions: benchSessions,
  engines: benchEngines,
  tarpit: benchTarpit,
  sizing: benchSizing,
};
type Part = keyof typeof parts;
const isPart = (name: string): name is Part => Object.hasOwn(parts, name);

const usage = `Usage: npm run bench -- [options]

  --only <part>  one of ${Object.keys(parts).join(", ")}; several times for several; all without it
  --json         figures for a machine instead of tables
  --help         this text

About ten minutes, half of them for the tarpit. Everything runs on this machine and on its loopback address, with a
redis-server of its own; quiet, it tells more.
`;

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: "string", multiple: true }, json: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const wanted = values.only ?? Object.keys(parts);
  const bad = wanted.find((name) => !isPart(name));
  if (bad !== undefined) throw new TypeError(`--only ${bad}: there is no such part`);
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model ?? "", load: loadavg()[0] };
  const figures: Record<string, Section["figures"]> = {};
  if (!values.json)
    process.stdout.write(
      `Node ${machine.node}, ${machine.cpus} × ${machine.model}, load ${machine.load?.toFixed(2)}\n\n`,
    );
  for (const name of wanted.filter(isPart)) {
    const section = await parts[name]((line) => process.stderr.write(`${line}\n`));
    figures[name] = section.figures;
    if (!values.json) process.stdout.write(`${print(section)}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, ...figures }, null, 2)}\n`);
}

bench().catch((error: unknown) => {
  if (error instanceof TypeError) process.stderr.write(`${error.message}\n${usage}`);
  else console.error(error);
  process.exit(1);
});
