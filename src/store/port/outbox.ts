/** Events that wait for their delivery. */
/** An event with its number, id and the exact bytes of its body: nothing is read again later. */
export interface StoredEvent {
  readonly sequence: number;
  /** `webhook-id`. */
  readonly id: string;
  readonly event: string;
  readonly body: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
}

/** One event handed out for delivery, with everything an attempt needs. */
export interface Taken {
  readonly app_id: string;
  readonly session_uuid: string;
  readonly event: StoredEvent;
  /** Names this hand-out; a settle with another token is stale. */
  readonly token: number;
  /** Attempts made before this one. */
  readonly attempts: number;
  readonly webhook_url: string;
  /** Newest first; the others only while they still sign. */
  readonly secrets: readonly string[];
  /** "disabled": to the dead letters without an attempt; "closing": one attempt, then dropped (the app is being deleted). */
  readonly mode: "normal" | "disabled" | "closing";
}

export interface Settlement {
  readonly session_uuid: string;
  readonly token: number;
  readonly sequence: number;
  /**
   * `dead` moves on like `delivered`; `disable` is `dead` and turns the app's webhooks off (410). When the app was put
   * after the hand-out, `disable` was for settings that hold no more: it is a retry at once.
   */
  readonly verdict: "delivered" | "dead" | "disable" | { readonly retry_in_ms: number };
}

export interface Turn {
  readonly app_id: string;
  readonly settled: readonly Settlement[];
  /** How many to take at most. */
  readonly want: number;
  /** How many of this app may be under way at once, over all instances. */
  readonly limit: number;
  /** After this time an event that was not settled is handed out again. */
  readonly lease_ms: number;
}

export interface TurnResult {
  readonly taken: readonly Taken[];
  /** Settlements that came too late to count: another token, another sequence than the one under way, or no lease. */
  readonly stale: number;
  /** Events given up since the last turn because the queue of their session or app was full: digits first. */
  readonly dropped: number;
  /** Events are left of an app of this id that was deleted: their time is short. */
  readonly closing: boolean;
  /** Time until a turn may take more (while `limit` is reached: until a lease ends); null when all else is under way. */
  readonly next_due_ms: number | null;
}
