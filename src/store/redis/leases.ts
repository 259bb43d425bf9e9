import { nodeOf } from "../../ids";
import type { Ending, Hold, NodeLease } from "../store";
import type { Context } from "./context";
import type { Living } from "./living";
import { askToEnd, forget, hold, release } from "./lua/leases";

/** Which instance reads the events of which node. */
export class Leases {
  readonly #context: Context;
  readonly #living: Living;

  constructor(context: Context, living: Living) {
    this.#context = context;
    this.#living = living;
  }

  async hold({ owner, nodes, lease_ms, lost_ms }: Hold): Promise<readonly NodeLease[]> {
    const { connection, keys } = this.#context;
    const answer = await connection.run(hold, keys.nodes, owner, lease_ms, lost_ms, ...nodes);
    const leases = Array.isArray(answer) ? answer.map(leaseOf) : [];
    return Promise.all(leases.map((lease) => this.#withoutOver(lease)));
  }

  async release(owner: string): Promise<void> {
    await this.#context.connection.run(release, this.#context.keys.nodes, owner);
  }

  async askToEnd({ id, cause }: Ending): Promise<void> {
    const { connection, keys } = this.#context;
    if (await this.#living.has(id)) await connection.run(askToEnd, keys.nodes, nodeOf(id), id, cause);
  }

  async forget(node: string): Promise<void> {
    await this.#context.connection.run(forget, this.#context.keys.nodes, node);
  }

  /** What has ended is taken out: nothing is to be done about it any more. */
  async #withoutOver(lease: NodeLease): Promise<NodeLease> {
    if (lease.ending.length === 0) return lease;
    const alive = await Promise.all(lease.ending.map(({ id }) => this.#living.has(id)));
    const over = lease.ending.filter((_, i) => alive[i] === false).map(({ id }) => id);
    if (over.length === 0) return lease;
    const { connection, keys } = this.#context;
    await connection.command("HDEL", `${keys.nodes}end:${lease.node}`, ...over);
    return { ...lease, ending: lease.ending.filter((_, i) => alive[i]) };
  }
}

function leaseOf(row: unknown): NodeLease {
  const [node, fence, state, endings] = Array.isArray(row) ? row : [];
  const texts: readonly string[] = Array.isArray(endings) ? endings.map(String) : [];
  const ending: Ending[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) ending.push({ id: texts[i] ?? "", cause: texts[i + 1] ?? "" });
  return {
    node: String(node),
    fence: fence === "" ? null : Number(fence),
    state: state === "held" || state === "lost" ? state : "away",
    ending,
  };
}
