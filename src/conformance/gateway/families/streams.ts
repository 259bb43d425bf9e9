/** Live events: `GET /api/v1/events`. */
import { Broken, type Check } from "../../check";
import { expectStatus, type KitApp, type KitCall } from "../ground/app";
import type { Delivery } from "../ground/endpoint";
import { Feed, type FeedOptions } from "../ground/feed";
import type { World } from "../world";

/** Of one app at a time. */
const maxStreams = 10;
/** What must not come would have come by now. */
const quietMs = 1_000;

/** Opens a stream, and closes it whatever happens. */
async function streaming<T>(app: KitApp, options: FeedOptions, use: (feed: Feed) => Promise<T>): Promise<T> {
  const feed = await Feed.open(app, options);
  try {
    return await use(feed);
  } finally {
    feed.close();
  }
}

/** Waits for the last of these events, and holds what came up to it against them. */
async function exactly(feed: Feed, wanted: readonly Delivery[]): Promise<void> {
  const last = wanted.at(-1);
  if (last) await feed.until(`${last.event} ${last.id}`, () => feed.ids.has(last.id) || undefined);
  const expected = wanted.map(({ event, id }) => `${event} ${id}`).join(", ");
  const got = feed.events.map(({ event, id }) => `${event} ${id}`).join(", ");
  if (got !== expected) throw new Broken({ expected, got, exchanges: [feed.exchange] });
  for (const [n, { id, data }] of feed.events.entries())
    if (data !== wanted[n]?.text)
      throw new Broken({ expected: `${id} with ${wanted[n]?.text}`, got: data, exchanges: [feed.exchange] });
}

/** A call that is answered and hung up. */
async function whole(app: KitApp): Promise<KitCall> {
  const call = await app.answered();
  await call.hangup();
  return call;
}

/** An app with two calls that are over: nothing more comes of it. */
function quiet(world: World): Promise<{ readonly app: KitApp; readonly first: KitCall; readonly second: KitCall }> {
  return world.once("an app with two calls", async () => {
    const app = await world.app();
    const first = await whole(app);
    return { app, first, second: await whole(app) };
  });
}

export const streams: readonly Check<World>[] = [
  {
    id: "streams/live",
    title: "A stream has each event under the id of its webhook and with its very body, in order, as it happens",
    clause: "streamEvents",
    profile: "full",
    async run(world) {
      const app = await world.app();
      await streaming(app, {}, async (feed) => {
        const call = await whole(app);
        await exactly(feed, call.events);
      });
    },
  },
  {
    id: "streams/from-now",
    title: "A stream begins with what comes after it was opened",
    clause: "streamEvents: from now on",
    profile: "full",
    async run(world) {
      const app = await world.app();
      await whole(app);
      await streaming(app, {}, async (feed) => exactly(feed, (await whole(app)).events));
    },
  },
  {
    id: "streams/resume",
    title: "With Last-Event-ID a stream goes on behind this event, without loss and without repeats",
    clause: "streamEvents: Last-Event-ID",
    profile: "full",
    async run(world) {
      const { app, first, second } = await quiet(world);
      const all = [...first.events, ...second.events];
      for (const at of [0, 2, first.events.length - 1, all.length - 2])
        await streaming(app, { lastEventId: all[at]?.id ?? "" }, (feed) => exactly(feed, all.slice(at + 1)));
    },
  },
  {
    id: "streams/resume-live",
    title: "A stream that goes on behind an event goes on with what comes live",
    clause: "streamEvents: Last-Event-ID",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.answered();
      const [begin] = call.events;
      await streaming(app, { lastEventId: begin?.id ?? "" }, async (feed) => {
        await feed.until("what was missed", () => feed.events[0]);
        await call.hangup();
        await exactly(feed, call.events.slice(1));
      });
    },
  },
  {
    id: "streams/resume-unknown",
    title: "With a Last-Event-ID that is not kept a stream begins with the oldest event that is",
    clause: "streamEvents: Last-Event-ID",
    profile: "full",
    async run(world) {
      const { app, first, second } = await quiet(world);
      await streaming(app, { lastEventId: "no-such-event" }, (feed) =>
        exactly(feed, [...first.events, ...second.events]),
      );
    },
  },
  {
    id: "streams/one-call",
    title: "With session_uuid a stream has the events of this call alone",
    clause: "streamEvents: session_uuid",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.answered();
      await streaming(app, { session_uuid: call.source }, async (feed) => {
        await whole(app);
        const before = call.events.length;
        await call.hangup();
        await exactly(feed, call.events.slice(before));
      });
      const { app: past, second } = await quiet(world);
      const options = { session_uuid: second.source, lastEventId: "no-such-event" };
      await streaming(past, options, (feed) => exactly(feed, second.events));
    },
  },
  {
    id: "streams/many",
    title: `An app has ${maxStreams} streams at a time; one more is refused until one is closed`,
    clause: "streamEvents: 429",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const feeds: Feed[] = [];
      try {
        for (let n = 0; n < maxStreams; n++) feeds.push(await Feed.open(app));
        const refused = await Feed.ask(app);
        if (refused instanceof Feed) {
          feeds.push(refused);
          throw new Broken({ expected: `429 for stream ${maxStreams + 1}`, got: "200", exchanges: [refused.exchange] });
        }
        expectStatus(refused, 429);
        // Each of them works.
        const call = await whole(app);
        for (const feed of feeds) await exactly(feed, call.events);
        feeds.shift()?.close();
        await reopened(app, feeds);
      } finally {
        for (const feed of feeds) feed.close();
      }
    },
  },
  {
    id: "streams/settles-nothing",
    title: "An event that a stream has told is sent as a webhook all the same, until it is taken",
    clause: "streamEvents: settles no webhook",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const call = await app.call();
      await call.event("call.new");
      await streaming(app, {}, async (feed) => {
        let told = false;
        app.endpoint.reply = ({ event }) => (event === "call.answered" && !told ? 500 : 204);
        await call.taken("answer");
        await feed.until("call.answered", () => feed.events.find(({ event }) => event === "call.answered"));
        told = true;
        await call.event("call.answered", 0, 20_000);
      });
      await call.event("command.result");
      await call.hangup();
    },
  },
  {
    id: "streams/own",
    title: "A stream has no event of another app",
    clause: "streamEvents",
    profile: "full",
    async run(world) {
      const app = await world.app();
      const main = await world.main();
      await streaming(app, {}, async (feed) => {
        const other = await whole(main);
        const own = await whole(app);
        await exactly(feed, own.events);
        await feed.within(quietMs, () => feed.events.find(({ data }) => data.includes(other.source)));
        await exactly(feed, own.events);
      });
      const foreign = await Feed.open(app, { session_uuid: (await whole(main)).source });
      const came = await foreign.within(quietMs, () => foreign.events[0]);
      foreign.close();
      if (came)
        throw new Broken({
          expected: "nothing of a call of another app",
          got: came.event,
          exchanges: [foreign.exchange],
        });
    },
  },
  {
    id: "streams/without-webhooks",
    title: "An app without a webhook_url, or with a filter, has the events that are kept in its stream",
    clause: "streamEvents",
    profile: "full",
    async run(world) {
      const app = await world.app({ webhook_url: "", events: ["call.hangup"] });
      await streaming(app, {}, async (feed) => {
        const call = await app.call();
        await call.taken("hangup");
        const [told] = await feed.until("call.hangup", () => (feed.events.length > 0 ? feed.events : undefined));
        if (told?.event !== "call.hangup")
          throw new Broken({ expected: "call.hangup alone", got: String(told?.event), exchanges: [feed.exchange] });
      });
    },
  },
];

/** A place that became free can be taken, as soon as the gateway has seen it. */
async function reopened(app: KitApp, feeds: Feed[]): Promise<void> {
  const deadline = performance.now() + 8_000;
  for (;;) {
    const next = await Feed.ask(app);
    if (next instanceof Feed) {
      feeds.push(next);
      return;
    }
    if (performance.now() > deadline)
      throw new Broken({ expected: "200 after one was closed", got: String(next.status), exchanges: [next.exchange] });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
