import { Chain, type Linked } from "./chain";

/** What became of a command whose uid its caller chose; `status` is null while that is open. */
export interface Seen extends Linked<Seen> {
  readonly command_uid: string;
  readonly fingerprint: string;
  readonly operation_id: string;
  readonly timeout_ms: number;
  status: 202 | 504 | null;
  /** The uids of its session, which it leaves when it is forgotten. */
  readonly session: SessionUids;
}

export type SessionUids = Map<string, Seen>;

export interface UidBounds {
  /** The oldest of a session goes when it would remember more. */
  readonly uids_per_session: number;
  /** The oldest of an app goes when it would remember more: a tenant that floods forgets its own, nobody else's. */
  readonly uids_per_app: number;
}

/** The command uids that an app's sessions have seen. */
export class RememberedUids {
  private readonly order = new Chain<Seen>();

  constructor(private readonly bounds: UidBounds) {}

  remember(session: SessionUids, command: Omit<Seen, "status" | "session" | keyof Linked<Seen>>): void {
    const { command_uid, fingerprint, operation_id, timeout_ms } = command;
    const seen: Seen = {
      command_uid,
      fingerprint,
      operation_id,
      timeout_ms,
      status: null,
      session,
      older: null,
      newer: null,
    };
    session.set(command_uid, seen);
    this.order.append(seen);
    if (session.size > this.bounds.uids_per_session) {
      for (const oldest of session.values()) {
        this.forget(oldest);
        break;
      }
    }
    if (this.order.size > this.bounds.uids_per_app && this.order.oldest !== null) this.forget(this.order.oldest);
  }

  forget(seen: Seen): void {
    seen.session.delete(seen.command_uid);
    this.order.remove(seen);
  }

  /** All that a session has seen. */
  forgetAll(session: SessionUids): void {
    for (const seen of session.values()) this.order.remove(seen);
    session.clear();
  }
}
