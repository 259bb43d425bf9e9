/** Which instance reads the events of which media node, and what becomes of nodes that nobody reads any more. */

export interface Hold {
  /** This instance: new at each start. */
  readonly owner: string;
  /** Whose events it can read now: those that it cannot reach are left out, and so are given up when their lease ends. */
  readonly nodes: readonly string[];
  readonly lease_ms: number;
  /**
   * A node that nobody has held for so long is lost. Only the time counts in which somebody looked: while the store was away,
   * nobody could hold anything.
   */
  readonly lost_ms: number;
}

/** How a node stands. */
export interface NodeLease {
  readonly node: string;
  /**
   * Given when this instance holds it: higher than that of whoever held it before, also before it was forgotten. Null:
   * another one holds it, nobody does, or it is lost.
   */
  readonly fence: number | null;
  /** `lost`: nobody can hold it until it was forgotten; its calls and rooms are to be ended. */
  readonly state: "held" | "away" | "lost";
  /** Calls and rooms that somebody wants ended; only for who holds it. Named again until they are over. */
  readonly ending: readonly Ending[];
}

/** A call or room to be ended by whoever holds its node. */
export interface Ending {
  /** Session uuid or room id. */
  readonly id: string;
  readonly cause: string;
}
