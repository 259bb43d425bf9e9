/** What runs in a process of its own: `node program.js <role>`. Ends in order when the benchmark does, however it ends. */
import { readConfig } from "../../src/config";
import { startGateway } from "../../src/main";
import { growing } from "../growth/subject";
import { bare, koa, withFastify } from "./baselines";
import { Ears } from "./ears";
import { Endpoint } from "./endpoint";
import { environment } from "./environment";
import { filled } from "./filling";
import { Keypads } from "./keypads";
import type { Question, Ready, Role } from "./process";

const plain = (port: number): Ready => ({ port, mediaPid: null, sipPort: null });
const unknown = (question: Question) => new Error(`nobody here answers "${question.ask}"`);

async function gateway(keypads: Keypads | null): Promise<Role> {
  const config = readConfig({ ...environment, ...process.env });
  const { url, store, embedded, shutdown } = await startGateway(config, keypads ? { engines: [keypads] } : {});
  const port = Number(new URL(url).port);
  return {
    ready: { port, mediaPid: embedded?.mediaPid ?? null, sipPort: embedded?.sipPort ?? null },
    async answer(question) {
      if (question.ask === "fill") return filled(store, question.app_id, question.sessions);
      if (question.ask !== "press" || !keypads) throw unknown(question);
      await keypads.press(question.calls, question.keys);
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
  fastify: async () => ({ ready: plain(await withFastify()) }),
  gateway: () => gateway(null),
  events: () => gateway(new Keypads()),
  growing,
  endpoint,
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
