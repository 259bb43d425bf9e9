/** Who waits for whom: an event for those of its call that come before it, and for nobody else. */
import { Broken, type Check } from "../../check";
import type { Reply } from "../ground/endpoint";
import type { World } from "../world";
import { againMs, attempted, Unruly } from "./unruly";

export const waiting: readonly Check<World>[] = [
  {
    id: "webhooks/order/own",
    title: "What follows a refused event of a call waits for it, and comes in order when it is taken",
    clause: "webhooks: order",
    profile: "full",
    async run(world) {
      const unruly = await Unruly.of(world);
      const { endpoint } = unruly.app;
      let open = false;
      const call = await unruly.call(({ event }) => (event === "call.answered" && !open ? 500 : 204));
      await call.taken("answer");
      await call.taken("stopPlayback");
      const [first] = await attempted(call, "call.answered", 2);
      const number = first?.sequence ?? 0;
      const early = endpoint.deliveries.find(({ source, sequence }) => source === call.source && sequence > number);
      if (early)
        throw new Broken({
          expected: `nothing behind #${number}`,
          got: `#${early.sequence} ${early.event}`,
          seen: endpoint.lines(),
        });
      open = true;
      await endpoint.until(
        "what waited",
        () => call.events.find(({ data }) => data.command === "playback/stop"),
        againMs,
      );
      const numbers = call.events.map(({ sequence }) => sequence);
      if (numbers.some((each, n) => each !== n + 1))
        throw new Broken({ expected: "1, 2, 3, …", got: numbers.join(", "), seen: endpoint.lines() });
    },
  },
  {
    id: "webhooks/order/other-calls",
    title: "An event that is refused keeps no other call waiting",
    clause: "webhooks: order",
    profile: "full",
    async run(world) {
      const unruly = await Unruly.of(world);
      let open = false;
      const stuck = await unruly.call(({ event }) => (event === "call.answered" && !open ? 500 : 204));
      await stuck.taken("answer");
      await attempted(stuck, "call.answered", 1);
      const call = await unruly.app.answered();
      await call.hangup();
      if (stuck.events.some(({ event }) => event === "call.answered"))
        throw new Error("the call that was to be stuck went on");
      open = true;
      await attempted(stuck, "call.answered", 2);
    },
  },
  {
    id: "webhooks/order/other-apps",
    title: "An endpoint that does not answer keeps no other app waiting",
    clause: "webhooks: order",
    profile: "full",
    async run(world) {
      const slow = await world.app();
      const calls = await Promise.all([slow.call(), slow.call(), slow.call(), slow.call()]);
      for (const call of calls) await call.event("call.new");
      let release = () => {};
      const held = new Promise<Reply>((resolve) => {
        release = () => resolve(204);
      });
      slow.endpoint.reply = () => held;
      try {
        await Promise.all(calls.map((call) => call.taken("answer")));
        await slow.endpoint.until("an event to hold", () =>
          slow.endpoint.deliveries.find(({ event }) => event === "call.answered"),
        );
        const main = await world.main();
        const call = await main.answered();
        await call.hangup();
      } finally {
        release();
      }
    },
  },
];
