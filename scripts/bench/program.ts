/** What runs in a process of its own: `node program.js <role>`. Ends in order when the benchmark does, however it ends. */
import { readConfig } from "../../src/config";
import { startGateway } from "../../src/main";
import { growing } from "../growth/subject";
import { scripted, stored } from "./admitting";
import { bare, koa } from "./baselines";
import { clock, type Moment } from "./clock";
import { Ears } from "./ears";
import { Endpoint } from "./endpoint";
import { environment } from "./environment";
import { withFastify } from "./fastify";
import { filled } from "./filling";
import { Keypads } from "./keypads";
import { plain, type Question, type Role, unknown } from "./process";

async function gateway(keypads: Keypads | null): Promise<Role> {
  const config = readConfig({ ...environment, ...process.env });
  const { url, store, embedded, shutdown } = await startGateway(config, keypads ? { engines: [keypads] } : {});
  const port = Number(new URL(url).port);
  return {
    ready: { port, mediaPid: embedded?.mediaPid ?? null, sipPort: embedded?.sipPort ?? null },
    async answer(question) {
      if (question.ask === "fill") return filled(store, question.app_id, question.sessions);
      if (!keypads) throw unknown(question);
      const { ask } = question;
      if (ask === "committed") return keypads.committed(question.did, store);
      if (ask === "pace") return keypads.pace(question.did, question.calls, question.per_second, question.seconds);
      if (ask !== "press") throw unknown(question);
      await keypads.press(question.did, question.calls, question.keys);
      return question.calls * question.keys;
    },
    close: shutdown,
  };
}

async function endpoint(): Promise<Role> {
  const taking = new Endpoint();
  return {
    ready: plain(await taking.listen()),
    async answer(question) {
      if (question.ask !== "received") throw unknown(question);
      await taking.received(null, question.events);
      return question.events;
    },
  };
}

/** One that knows when each event came. */
async function clocked(): Promise<Role> {
  let moments: Moment[] = [];
  const taking = new Endpoint(({ session_uuid = "", sequence }) => {
    moments.push({ session_uuid, sequence, at: clock() });
  });
  let expected = 0;
  return {
    ready: plain(await taking.listen()),
    async answer(question) {
      if (question.ask !== "moments") throw unknown(question);
      expected += question.events;
      await taking.received(null, expected);
      const noted = moments;
      moments = [];
      return noted;
    },
  };
}

async function ears(): Promise<Role> {
  const hearing = await Ears.open();
  return {
    ready: plain(hearing.port),
    async answer(question) {
      if (question.ask === "listen") return hearing.listen(question.seconds);
      if (question.ask !== "speak") throw unknown(question);
      hearing.speakTo(question.ports);
      return question.ports.length;
    },
  };
}

const roles: Readonly<Record<string, () => Promise<Role>>> = {
  bare: async () => ({ ready: plain(await bare()) }),
  koa: async () => ({ ready: plain(await koa()) }),
  fastify: async () => ({ ready: plain(await withFastify(null)) }),
  "fastify-count": () => scripted(({ count }) => count),
  "fastify-script": () => scripted(({ admit }) => admit),
  "fastify-admit": () => stored(({ admit }) => admit),
  "fastify-commit": () => stored(({ result }) => result),
  gateway: () => gateway(null),
  events: () => gateway(new Keypads()),
  growing,
  endpoint,
  clocked,
  ears,
};

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

async function run(name: string): Promise<void> {
  const start = roles[name];
  if (!start) throw new Error(`no such role: ${name}`);
  const role = await start();
  const { answer, close } = role;
  process.on("message", (question: Question) => {
    if (question.ask === "cpu") {
      const { user, system } = process.cpuUsage();
      process.send?.(user + system);
    } else if (answer) answer(question).then((given) => process.send?.(given), fail);
    else fail(unknown(question));
  });
  // Ctrl-C goes to the whole group: this one ends with the benchmark, and in order.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => (close?.() ?? Promise.resolve()).then(() => process.exit(0), fail));
  process.send?.(role.ready);
}

run(process.argv[2] ?? "").catch(fail);
