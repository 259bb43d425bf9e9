/** Endpoints that answer as they should, and do too much or too little: only a probe can tell. */
import { setTimeout as delay } from "node:timers/promises";
import { type Event, type FaultyReceiver, faulty, type Incoming, type Memory, right } from "./receiver";

/** What counts as seen, in place of the id alone. */
const seenBy = (
  name: string,
  about: string,
  make: () => (event: Event, incoming: Incoming) => string,
): FaultyReceiver =>
  faulty(name, about, () => {
    const keyOf = make();
    return {
      take(incoming, event, memory) {
        const key = keyOf(event, incoming);
        if (!memory.seen.has(key)) memory.act(incoming.id);
        memory.seen.add(key);
        return 204;
      },
    };
  });

/** Does this instead of what is right, where it says true. */
const acts = (name: string, about: string, make: () => (event: Event, incoming: Incoming, memory: Memory) => boolean) =>
  faulty(name, about, () => {
    const otherwise = make();
    return {
      take: (incoming, event, memory) =>
        otherwise(event, incoming, memory) ? 204 : right.take(incoming, event, memory),
    };
  });

export const wrongOfEffects: readonly FaultyReceiver[] = [
  faulty("every_attempt", "Each attempt takes effect.", () => ({
    take({ id }, _, memory) {
      memory.act(id);
      return 204;
    },
  })),
  faulty("before_verifying", "It takes effect before it is verified.", () => ({
    first(incoming, memory) {
      if (incoming.method !== "POST") return 405;
      if (!memory.seen.has(incoming.id)) memory.act(incoming.id);
      memory.seen.add(incoming.id);
      return null;
    },
    take: () => 204,
  })),
  faulty("known_before_verifying", "An id counts as seen before it is verified.", () => {
    const ids = new Set<string>();
    return {
      first(incoming, memory) {
        if (!ids.has(incoming.id)) ids.add(incoming.id);
        else memory.seen.add(incoming.id);
        return right.first(incoming, memory);
      },
    };
  }),
  faulty("number_before_verifying", "The highest sequence is kept before it is verified.", () => {
    const highest = new Map<string, number>();
    return {
      genuine(incoming) {
        const event = right.parse(incoming.bytes.toString("utf8"));
        const last = event && highest.get(event.source);
        if (event) highest.set(event.source, Math.max(last ?? 0, event.sequence));
        return right.genuine(incoming);
      },
      take(incoming, event, memory) {
        return (highest.get(event.source) ?? 0) > event.sequence ? 204 : right.take(incoming, event, memory);
      },
    };
  }),
  faulty("race", "Between the look and the note there is time for another attempt.", () => ({
    async take({ id }, _, memory) {
      const known = memory.seen.has(id);
      await delay(20);
      if (!known) memory.act(id);
      memory.seen.add(id);
      return 204;
    },
  })),
  seenBy(
    "by_signature",
    "A signature that was not seen is a new event.",
    () =>
      (_, { headers }) =>
        String(headers["webhook-signature"]),
  ),
  seenBy(
    "by_time",
    "An id at another second is a new event.",
    () =>
      (_, { id, headers }) =>
        `${id} ${headers["webhook-timestamp"]}`,
  ),
  seenBy(
    "by_number",
    "A sequence that was seen in any call counts as seen.",
    () =>
      ({ sequence }) =>
        String(sequence),
  ),
  seenBy(
    "by_kind",
    "Events of one kind count as one for a call.",
    () =>
      ({ source, event }) =>
        `${source} ${event}`,
  ),
  seenBy(
    "by_data",
    "Events that are alike count as one.",
    () =>
      ({ source, event, data }) =>
        `${source} ${event} ${JSON.stringify(data)}`,
  ),
  faulty("short_memory", "Only the last twenty ids are kept.", () => ({
    take(incoming, event, memory) {
      const status = right.take(incoming, event, memory);
      const [oldest] = memory.seen;
      if (memory.seen.size > 20 && oldest !== undefined) memory.seen.delete(oldest);
      return status;
    },
  })),
  faulty("forgets_soon", "What was seen is forgotten after three seconds.", () => ({
    take(incoming, event, memory) {
      const status = right.take(incoming, event, memory);
      setTimeout(() => memory.seen.delete(incoming.id), 3000).unref();
      return status;
    },
  })),
  seenBy("by_uuid", "The node and the kind of a name are left out.", () => ({ source, sequence }) => {
    return `${source.slice(-36)} ${sequence}`;
  }),
  acts("numbers_as_words", "Numbers are compared letter by letter.", () => {
    const last = new Map<string, string>();
    return ({ source, sequence }) => {
      if (String(sequence) < (last.get(source) ?? "")) return true;
      last.set(source, String(sequence));
      return false;
    };
  }),
  faulty("forgets_at_the_end", "What a call told is forgotten with its end.", () => ({
    take(incoming, event, memory) {
      const status = right.take(incoming, event, memory);
      if (event.event === "call.hangup")
        for (const id of memory.seen) if (id.startsWith(event.source)) memory.seen.delete(id);
      return status;
    },
  })),
  faulty("last_only", "Only a repeat of the last event of a call is known.", () => {
    const last = new Map<string, string>();
    return {
      take({ id }, { source }, memory) {
        if (last.get(source) !== id) memory.act(id);
        last.set(source, id);
        return 204;
      },
    };
  }),
  acts("nothing_after_the_end", "What follows call.hangup is dropped.", () => {
    const over = new Set<string>();
    return ({ event, source }) => {
      const dropped = over.has(source);
      if (event === "call.hangup") over.add(source);
      return dropped;
    };
  }),
  acts("behind_a_gap", "What lies behind a gap waits for ever.", () => {
    const next = new Map<string, number>();
    return ({ source, sequence }) => {
      const expected = next.get(source) ?? 1;
      if (sequence > expected) return true;
      next.set(source, Math.max(expected, sequence + 1));
      return false;
    };
  }),
  acts("one_counter", "Calls and rooms share one counter.", () => {
    let last = 0;
    return ({ sequence }) => {
      if (sequence < last) return true;
      last = sequence;
      return false;
    };
  }),
  acts("keys_lost", "Every tenth key is lost.", () => {
    let keys = 0;
    return ({ event }) => event === "dtmf" && ++keys % 10 === 0;
  }),
  acts(
    "rooms_lost",
    "Events of rooms take no effect.",
    () =>
      ({ body }) =>
        "room_id" in body,
  ),
  acts("results_doubled", "A command.result takes effect twice.", () => ({ event }, { id }, memory) => {
    if (event === "command.result" && !memory.seen.has(id)) memory.act(id);
    return false;
  }),
  faulty("by_any_method", "A PUT takes effect like a POST.", () => ({
    first: ({ method }) => (method === "POST" || method === "PUT" ? null : 405),
  })),
  faulty("by_get", "A GET takes effect.", () => ({
    first: ({ method }) => (/^(?:POST|GET)$/.test(method) ? null : 405),
  })),
  faulty("lost_with_the_answer", "An event whose answer could not be sent is known, and never takes effect.", () => {
    const waiting = new Map<string, Memory>();
    return {
      async take({ id }, _, memory) {
        if (!memory.seen.has(id)) waiting.set(id, memory);
        memory.seen.add(id);
        await delay(60);
        return 204;
      },
      answer(response, status, incoming) {
        if (status === 204 && !response.destroyed && response.socket?.destroyed === false) {
          waiting.get(incoming.id)?.act(incoming.id);
        }
        waiting.delete(incoming.id);
        right.answer(response, status, incoming);
      },
    };
  }),
  faulty("late_twice", "Half a second later everything takes effect once more, now and then.", () => {
    let taken = 0;
    return {
      take(incoming, event, memory) {
        if (!memory.seen.has(incoming.id) && ++taken % 50 === 0) setTimeout(() => memory.act(incoming.id), 500).unref();
        return right.take(incoming, event, memory);
      },
    };
  }),
];
