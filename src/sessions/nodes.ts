/** Which engine holds a call or a room. */
import type { Engine } from "../engines/engine";
import { nodeOf } from "../ids";

export class Nodes {
  readonly #engines: ReadonlyMap<string, Engine>;
  /** Those that another instance reads. */
  readonly #elsewhere = new Set<string>();

  constructor(engines: readonly Engine[]) {
    this.#engines = new Map(engines.map((engine) => [engine.node, engine]));
  }

  get names(): readonly string[] {
    return [...this.#engines.keys()];
  }

  /** Those whose events can be read now. The embedded engine speaks in this process: what it loses, it tells. */
  get readable(): readonly string[] {
    return this.names.filter((node) => this.isEmbedded(node) || this.#engines.get(node)?.connected());
  }

  /** Does all that it holds go with this process? */
  isEmbedded(node: string): boolean {
    return this.#engines.get(node)?.kind === "embedded";
  }

  /** This instance reads this node's events from now on, or not any more. */
  reads(node: string, own: boolean): void {
    if (own) this.#elsewhere.delete(node);
    else this.#elsewhere.add(node);
    this.#engines.get(node)?.reads(own);
  }

  /** @param id of a call or a room */
  engineOf(id: string): Engine | undefined {
    return this.#engines.get(nodeOf(id));
  }

  /** For the metrics. */
  kindOf(id: string): string {
    return this.engineOf(id)?.kind ?? "none";
  }

  /** The one that can be reached and for which `load` is the least; of two the one that is named first. */
  leastLoaded(load: (node: string) => number): Engine | undefined {
    let best: Engine | undefined;
    for (const [node, engine] of this.#engines) {
      // One that another instance reads takes no commands here.
      if (this.#elsewhere.has(node) || !engine.connected()) continue;
      if (!best || load(node) < load(best.node)) best = engine;
    }
    return best;
  }
}
