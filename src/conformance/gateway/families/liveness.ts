/** A first call: made, answered, ended. */
import type { Check } from "../../check";
import { expectStatus } from "../ground/app";
import type { World } from "../world";

export const liveness: readonly Check<World>[] = [
  {
    id: "first/alive",
    title: "The gateway is alive and well",
    clause: "getLive, getHealth",
    profile: "minimal",
    async run(world) {
      for (const path of ["/live", "/health"]) expectStatus(await world.request({ method: "GET", path }), 200);
    },
  },
  {
    id: "first/call",
    title: "A call rings, is answered and hung up, and is told of in this order",
    clause: "call.new, call.answered, call.hangup",
    profile: "minimal",
    async run(world) {
      const app = await world.main();
      const call = await app.answered();
      await call.hangup();
    },
  },
];
