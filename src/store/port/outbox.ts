/** Events: the log of what was told, and what waits for its delivery. */
/** An event with its number, id and the exact bytes of its body: nothing is read again later. */
export interface StoredEvent {
  /** In the sequence of its call or room. */
  readonly sequence: number;
  /** `webhook-id`: `<session uuid or room id>.<sequence>`. */
  readonly id: string;
  readonly event: string;
  readonly body: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
  /** The room in whose list an event of a call stands as well; null for all else. */
  readonly room_id: string | null;
}

/** One event handed out for delivery, with everything an attempt needs. */
export interface Taken {
  readonly app_id: string;
  /** The queue it stands in: of a session or room by its id, or of a single event that is replayed. */
  readonly queue: string;
  /** Session uuid or room id. */
  readonly source: string;
  readonly event: StoredEvent;
  /** Names this hand-out; a settle with another token is stale. */
  readonly token: number;
  /** Attempts made before this one. */
  readonly attempts: number;
  /** Epoch milliseconds: `created_at` of the event, for a replayed one the time of the replay. */
  readonly since: number;
  readonly webhook_url: string;
  /** Newest first; the others only while they still sign. */
  readonly secrets: readonly string[];
  /** "disabled": to the dead letters without an attempt; "closing": one attempt, then dropped (the app is being deleted). */
  readonly mode: "normal" | "disabled" | "closing";
}

export interface Settlement {
  readonly queue: string;
  readonly token: number;
  readonly sequence: number;
  /**
   * `dead` moves on like `delivered`, and keeps the event among the dead letters; `disable` is `dead` and turns the app's
   * webhooks off (410). When the app was put after the hand-out, `disable` was for settings that hold no more: it is a retry
   * at once.
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

/** Events of one call or room, in their order; fewer than asked for also where they are long. None: there are no more. */
export interface EventList {
  readonly events: readonly { readonly number: number; readonly event: StoredEvent }[];
}

/** The app's events in the order of their commits; fewer than asked for also where they are long. None: there are no more yet. */
export interface Feed {
  readonly events: readonly {
    /** Session uuid or room id. */
    readonly source: string;
    readonly event: StoredEvent;
  }[];
  /** Go on from here. Opaque. */
  readonly position: string;
  /** Events before the first of these were forgotten meanwhile: the reader was too slow, or its place too old. */
  readonly gap: boolean;
}

export interface DeadLetter {
  readonly event: StoredEvent;
  /** Session uuid or room id. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly died_at: number;
  readonly attempts: number;
}

export interface DeadLetterPage {
  /** Newest first; fewer than asked for also where they are long. */
  readonly letters: readonly DeadLetter[];
  /** Give as `before` for the next page; null at the end. */
  readonly next: number | null;
}
