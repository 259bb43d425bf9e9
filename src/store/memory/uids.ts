import { Chain, type Linked } from "./chain";

/** What became of a command whose uid its caller chose; `status` is null while that is open. */
export interface Seen extends Linked<Seen> {
  readonly command_uid: string;
  readonly fingerprint: string;
  readonly operation_id: string;
  readonly timeout_ms: number;
  status: 202 | 504 | null;
  /** The uids of its call or room, which it leaves when it is forgotten. */
  readonly subject: SubjectUids;
}

export type SubjectUids = Map<string, Seen>;

export interface UidBounds {
  /** The oldest of a call or room goes when it would remember more. */
  readonly uids_per_subject: number;
  /** The oldest of an app goes when it would remember more: a tenant that floods forgets its own, nobody else's. */
  readonly uids_per_app: number;
}

/** The command uids that an app's calls and rooms have seen. */
export class RememberedUids {
  private readonly order = new Chain<Seen>();

  constructor(private readonly bounds: UidBounds) {}

  remember(subject: SubjectUids, command: Omit<Seen, "status" | "subject" | keyof Linked<Seen>>): void {
    const { command_uid, fingerprint, operation_id, timeout_ms } = command;
    const seen: Seen = {
      command_uid,
      fingerprint,
      operation_id,
      timeout_ms,
      status: null,
      subject,
      older: null,
      newer: null,
    };
    subject.set(command_uid, seen);
    this.order.append(seen);
    if (subject.size > this.bounds.uids_per_subject) {
      for (const oldest of subject.values()) {
        this.forget(oldest);
        break;
      }
    }
    if (this.order.size > this.bounds.uids_per_app && this.order.oldest !== null) this.forget(this.order.oldest);
  }

  forget(seen: Seen): void {
    seen.subject.delete(seen.command_uid);
    this.order.remove(seen);
  }

  /** All that a call or room has seen. */
  forgetAll(subject: SubjectUids): void {
    for (const seen of subject.values()) this.order.remove(seen);
    subject.clear();
  }
}
