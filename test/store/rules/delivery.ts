import { expect, test } from "@jest/globals";
import type { Settlement, Taken } from "../../../src/store/store";
import { chances } from "../repeating";
import { appPut, commitOf, eachTime, eventOf, loaded, type Make, sessionOf, settlementOf, turn } from "../samples";

const LEASE_MS = 100;
const LIMIT = 4;

/**
 * Three that deliver, each of which may lose the answer of a turn, stall beyond its lease, or have its attempt fail,
 * while events are added and the receiver sees everything that is sent.
 */
export function deliveryRules(make: Make): void {
  const subject = eachTime(async () => {
    const made = await make();
    await made.store.putApp(appPut("acme"));
    return made;
  });

  test.each([1, 2, 3, 4])("nothing is lost or comes out of its order, whoever stalls (seed %i)", async (seed) => {
    const { store, advance } = subject();
    const chance = chances(seed);
    const calls = ["a", "b", "c", "d", "e", "f"];
    for (const uuid of calls) await store.createSession(sessionOf(uuid), []);
    /** Highest sequence that arrived, per call. */
    const arrived = new Map<string, number>();
    const problems: string[] = [];
    /** End of the lease of what is under way, by call. */
    const leases = new Map<string, number>();
    const workers: { held: { taken: Taken; until: number }[]; stalled_until: number }[] = [1, 2, 3].map(() => {
      return { held: [], stalled_until: 0 };
    });
    let stale = 0;
    let lost = 0;
    let retried = 0;

    function arrive({ queue, event }: Taken): void {
      const before = arrived.get(queue) ?? 0;
      if (event.sequence > before + 1) problems.push(`${queue}: ${event.sequence} after ${before}`);
      arrived.set(queue, Math.max(before, event.sequence));
    }

    async function work(worker: (typeof workers)[number], now: number): Promise<void> {
      if (now < worker.stalled_until) return;
      const settled: Settlement[] = worker.held.map(({ taken }) => {
        arrive(taken);
        if (chance() < 0.8) return settlementOf(taken);
        retried += 1;
        return settlementOf(taken, { retry_in_ms: Math.floor(chance() * 50) });
      });
      worker.held = [];
      const sent = { settled, want: 2, limit: LIMIT, lease_ms: LEASE_MS };
      const result = await turn(store, sent);
      stale += result.stale;
      for (const { queue } of settled) leases.delete(queue);
      for (const { queue } of result.taken) {
        const lease = leases.get(queue);
        if (lease !== undefined && lease > now) problems.push(`${queue} is under way twice`);
        leases.set(queue, now + LEASE_MS);
      }
      const under_way = [...leases.values()].filter((until) => until > now).length;
      if (under_way > LIMIT) problems.push(`${under_way} under way`);
      if (chance() < 0.2) {
        lost += result.taken.length;
        return;
      }
      worker.held = result.taken.map((taken) => ({ taken, until: now + LEASE_MS }));
      if (chance() < 0.1) worker.stalled_until = now + LEASE_MS + 20;
    }

    const last = new Map<string, number>();
    for (let round = 0; round < 400 || (await store.appsWithEvents()).length > 0; round++) {
      if (round > 20_000) throw new Error("the queue is never empty");
      const now = await store.now();
      const uuid = calls[Math.floor(chance() * calls.length)];
      if (uuid !== undefined && round < 400) {
        const sequence = (last.get(uuid) ?? 0) + 1;
        last.set(uuid, sequence);
        await store.commit(commitOf(await loaded(store, uuid), { sequence }, { events: [eventOf(sequence)] }));
      }
      const worker = workers[Math.floor(chance() * workers.length)];
      if (worker !== undefined) await work(worker, now);
      await advance(Math.floor(chance() * 15));
    }
    expect(problems).toEqual([]);
    expect(await store.appsWithEvents()).toEqual([]);
    expect(arrived).toEqual(last);
    // The walk went where it hurts.
    for (const count of [stale, lost, retried]) expect(count).toBeGreaterThan(10);
  });
}
