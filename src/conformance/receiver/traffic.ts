/** Many at once, one after the other on one connection, and some that are slow. */
import { once } from "node:events";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect } from "node:net";
import { type Check, Skipped } from "../check";
import { lifeOfCall, type Told } from "./story";
import type { ReceiverWorld } from "./world";

const apart = "webhooks: sessions and apps do not wait for each other";

const full = (id: string, title: string, clause: string, run: Check<ReceiverWorld>["run"]): Check<ReceiverWorld> => {
  return { id: `traffic/${id}`, title, clause, profile: "full", run };
};

/** Connections of this check alone. */
function agentOf(
  { settings: { url } }: ReceiverWorld,
  options: { keepAlive: boolean; maxSockets?: number },
): HttpAgent {
  return url.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options);
}

export const traffic: readonly Check<ReceiverWorld>[] = [
  full("one_connection", "Many events come over one connection", "RFC 9112 section 9.3", async (world) => {
    const agent = agentOf(world, { keepAlive: true, maxSockets: 1 });
    try {
      const call = await world.ringing();
      for (let i = 0; i < 30; i++) await world.taken(call.next("dtmf"), { agent });
    } finally {
      agent.destroy();
    }
  }),
  full("after_a_refusal", "A connection goes on after a refusal", "RFC 9112 section 9.3", async (world) => {
    const agent = agentOf(world, { keepAlive: true, maxSockets: 1 });
    try {
      const call = await world.ringing();
      for (let i = 0; i < 3; i++) {
        await world.taken(call.next("dtmf"), { agent });
        const forged = call.next("dtmf");
        const { repeat: _, ...sending } = world.signed(forged);
        const headers = { ...sending.headers, "webhook-signature": "v1,AAAA" };
        await world.refused(forged, { ...sending, headers }, "a wrong signature", [], agent);
      }
      await world.taken(call.next("call.hangup"), { agent });
    } finally {
      agent.destroy();
    }
  }),
  full("new_connections", "Each event may come over a connection of its own", "RFC 9112 section 9.3", async (world) => {
    const agent = agentOf(world, { keepAlive: false });
    const call = await world.ringing();
    for (let i = 0; i < 10; i++) await world.taken(call.next("dtmf"), { agent });
  }),
  {
    ...full("fifty_calls", "Fifty calls at once, each in its own order", apart, async (world) => {
      const calls = Array.from({ length: 50 }, () => world.call());
      await Promise.all(
        calls.map(async (call) => {
          for (const name of lifeOfCall.slice(0, 4)) await world.taken(call.next(name));
        }),
      );
    }),
    alone: true,
  },
  {
    ...full(
      "burst",
      "As many attempts as the gateway makes at a time",
      "webhooks: 64 attempts of an app at a time",
      async (world) => {
        const all: Told[] = Array.from({ length: 64 }, () => world.call().next("call.new"));
        await Promise.all(all.map((told) => world.taken(told)));
      },
    ),
    alone: true,
  },
  {
    ...full("slow_beside", "A body that comes slowly does not hold up other calls", apart, async (world) => {
      const slow = world.taken(world.call().next("call.new"), { way: "pieces" });
      const quick = Array.from({ length: 5 }, () => world.taken(world.call().next("call.new")));
      await Promise.all([slow, ...quick]);
    }),
    alone: true,
  },
  {
    ...full(
      "idle_connections",
      "Connections that wait do not hold up others",
      "RFC 9112 section 9.3",
      async (world) => {
        const { hostname, port, protocol } = new URL(world.settings.url);
        const at = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (protocol === "https:" ? 443 : 80)) };
        const idle = Array.from({ length: 16 }, () => connect(at));
        const used = agentOf(world, { keepAlive: true });
        try {
          await Promise.all(idle.map((socket) => once(socket, "connect")));
          // A connection that is kept for the next event.
          await world.taken(world.call().next("call.new"), { agent: used });
          const agent = agentOf(world, { keepAlive: false });
          for (let i = 0; i < 3; i++) await world.taken(world.call().next("call.new"), { agent });
        } finally {
          for (const socket of idle) socket.destroy();
          used.destroy();
        }
      },
    ),
    alone: true,
  },
  full("two_apps", "Events of two apps come to one endpoint", "webhooks: app_id", async (world) => {
    const { apps } = world.settings;
    if (apps.length === 1) throw new Skipped("The endpoint takes the events of one app (--app-id).");
    const [one, other] = [world.call(apps[0] ?? "demo"), world.call(apps[1] ?? "demo-2")];
    for (const name of ["call.new", "call.answered", "call.hangup"] as const) {
      await world.taken(one.next(name));
      await world.taken(other.next(name));
    }
  }),
];
