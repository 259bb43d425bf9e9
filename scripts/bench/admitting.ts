/** Programs with Fastify that ask Redis before they answer. */
import { randomUUID } from "node:crypto";
import { createLog } from "../../src/log";
import { RedisStore } from "../../src/store/redis";
import { ScriptedAdmission } from "./admission";
import { type Admit, withFastify } from "./fastify";
import { plain, type Role, unknown } from "./process";
import { StoredAdmission } from "./stored";

const redisUrl = () => process.env.REDIS_URL ?? "";

/** By one script of its own. */
export async function scripted(of: (admission: ScriptedAdmission) => Admit): Promise<Role> {
  const admission = new ScriptedAdmission(redisUrl());
  const made: { readonly app_id: string; readonly sessions: readonly string[] }[] = [];
  return {
    ready: plain(await withFastify(of(admission))),
    async answer(question) {
      if (question.ask === "calls") {
        const { app_id, api_key, calls } = question;
        const sessions = Array.from({ length: calls }, () => `elsewhere-${randomUUID()}`);
        made.push({ app_id, sessions });
        await admission.put(app_id, api_key, sessions);
        return sessions;
      }
      if (question.ask !== "settle") throw unknown(question);
      for (const { app_id, sessions } of made) await admission.settle(app_id, sessions);
      return [];
    },
  };
}

/** By the gateway's store. */
export async function stored(of: (admission: StoredAdmission) => Admit): Promise<Role> {
  const store = new RedisStore({ url: redisUrl(), secretsKey: Buffer.alloc(32, "bench"), log: createLog("warn") });
  const admission = new StoredAdmission(store);
  const made: string[] = [];
  return {
    ready: plain(await withFastify(of(admission))),
    async answer(question) {
      if (question.ask === "calls") {
        const sessions = await admission.calls(question.app_id, question.api_key, question.calls);
        made.push(...sessions);
        return sessions;
      }
      if (question.ask !== "settle") throw unknown(question);
      await admission.settle(made);
      return [];
    },
    close: () => store.close(),
  };
}
