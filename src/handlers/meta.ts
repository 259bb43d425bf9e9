import { readFileSync } from "node:fs";
import path from "node:path";
import type { Reply } from "../contract";
import { wavHeader, wavRate } from "../wav";
import type { Gateway, TagHandlers } from "./gateway";

/** The compiled file lies in dist/src/handlers. */
const generated = path.join(__dirname, "../../../generated");

export function meta({ engines, sessions, store, metrics, lifecycle, log }: Gateway): TagHandlers<"meta"> {
  const document: Reply<"getOpenapi">["body"] = JSON.parse(readFileSync(path.join(generated, "openapi.json"), "utf8"));
  const catalogue: Reply<"getErrors">["body"] = JSON.parse(readFileSync(path.join(generated, "errors.json"), "utf8"));
  return {
    getLive: () => ({ status: 200, body: { status: "ok" } }),

    async getHealth(call) {
      if (lifecycle.draining) throw call.error("503 Server is draining");
      try {
        await store.now();
      } catch (err) {
        log.error({ err }, "the store cannot be asked");
        throw call.error("503 Store unavailable");
      }
      const nodes = engines.map((engine) => ({
        node: engine.node,
        engine: engine.kind,
        connected: engine.connected(),
      }));
      return { status: 200, body: { status: "ok", nodes } };
    },

    getMetrics: async () => ({ status: 200, body: await metrics.text() }),

    listNodes: () => {
      const nodes = engines.map((engine) => {
        const { node, kind } = engine;
        return { node, engine: kind, connected: engine.connected(), ...sessions.counts(node) };
      });
      return { status: 200, body: { success: true, nodes } };
    },

    getOpenapi: () => ({ status: 200, body: document }),
    getErrors: () => ({ status: 200, body: catalogue }),
    getSampleTone: () => {
      tone ??= sampleTone();
      return { status: 200, body: tone };
    },
  };
}

/** Made when it is first asked for: that takes longer than all else of a start. */
let tone: Buffer | null = null;

const toneHz = 440;
const toneSeconds = 10;
/** -12 dBFS: loud enough to be heard, far from clipping. */
const toneAmplitude = 8192;

function sampleTone(): Buffer {
  // 440 periods last a second: the rest repeats it.
  const second = Buffer.alloc(wavRate * 2);
  for (let i = 0; i < wavRate; i++)
    second.writeInt16LE(Math.round(toneAmplitude * Math.sin((2 * Math.PI * toneHz * i) / wavRate)), i * 2);
  const samples = Buffer.alloc(toneSeconds * second.length, second);
  return Buffer.concat([wavHeader(1, samples.length), samples]);
}
