import type {
  App,
  AppSettings,
  Commit,
  CommitOutcome,
  DeadLetter,
  Loaded,
  Overdue,
  Room,
  Session,
  StoredEvent,
  Subject,
} from "../store";
import type { OutboxBounds } from "./backlog";
import type { Chain } from "./chain";
import { type Attendance, Conferences } from "./conferences";
import { DeadLetters, type LetterBounds } from "./letters";
import { Log, type LogBounds, type SourceKind } from "./log";
import type { Outbox, Receiver, Sender } from "./outbox";
import { QuotaWindows } from "./quota";
import type { Schedule } from "./schedule";
import { type Kept, type SubjectBounds, Subjects, seen } from "./subjects";
import { RememberedUids, type UidBounds } from "./uids";

const MIB = 1_048_576;

/** What one app may fill, so that none can exhaust the process. */
export interface Bounds extends SubjectBounds, UidBounds, OutboxBounds, LogBounds, LetterBounds {
  /** Rooms that have not ended. */
  readonly rooms_per_app: number;
}

/**
 * What one app may fill at most; beyond it the oldest goes, of what waits for its delivery digits first. Apps are made by
 * the operator alone, so their number needs no bound. Measured: an event takes its body and 750 bytes as long as it is
 * kept, and 400 more while it waits, a remembered uid 280, an ended call 830. A body is bounded by its length as well: one
 * that lists many addresses has a quarter of a million characters, of one byte each unless there is one beyond Latin-1.
 */
export const BOUNDS: Bounds = {
  uids_per_subject: 1000,
  uids_per_app: 100_000,
  ended_per_app: 100_000,
  rooms_per_app: 1000,
  queued_per_source: 1000,
  queued_per_app: 100_000,
  needed_per_app: 200_000,
  logged_per_source: 10_000,
  logged_per_app: 100_000,
  letters_per_app: 10_000,
  logged_chars_per_source: 8 * MIB,
  logged_chars_per_app: 64 * MIB,
  queued_chars_per_source: 8 * MIB,
  queued_chars_per_app: 64 * MIB,
  needed_chars_per_app: 128 * MIB,
  letter_chars_per_app: 32 * MIB,
  page_chars: MIB,
};

/** What all apps share. */
export interface Shared {
  readonly bounds: Bounds;
  /** How long events are kept for those who missed them. */
  readonly retention_ms: number;
  /** Of pending operations. */
  readonly deadlines: Schedule<Overdue>;
  readonly idle: Chain<Attendance>;
  /** Is told when nothing is left of a call or room. */
  readonly forgotten: (id: string) => void;
}

/** Old signing secrets of an app that sign at the same time, however often the secret is rotated. */
const OLD_SECRETS = 4;

/** An app with all that is its own. */
export class Tenant implements Sender {
  readonly quota = new QuotaWindows();
  readonly sessions: Subjects<Session>;
  readonly rooms: Subjects<Room>;
  readonly conferences: Conferences;
  readonly log: Log;
  readonly letters: DeadLetters;
  private settings: App;
  private old_secrets: readonly { readonly secret: string; readonly until: number }[] = [];
  private revision = 1;
  private is_closing = false;

  constructor(
    settings: AppSettings,
    /** Keyed digest of app id and API key. */
    public digest: string,
    private secret: string,
    now: number,
    shared: Shared,
    /** Tells apps of the same id apart that were there one after the other. */
    epoch: number,
    /** Shared by all apps that had this id: what was deleted is delivered beside what is new. */
    readonly outbox: Outbox,
  ) {
    const { bounds, retention_ms, deadlines, idle } = shared;
    this.settings = appOf(settings, now);
    const forgotten = (id: string, at: number): void => {
      // One that never came to its end is over, too.
      this.log.end(id, at);
      shared.forgotten(id);
    };
    const uids = new RememberedUids(bounds);
    this.sessions = new Subjects(bounds, uids, deadlines, forgotten);
    this.rooms = new Subjects(bounds, uids, deadlines, forgotten);
    this.conferences = new Conferences(idle);
    this.log = new Log(bounds, retention_ms, epoch, (room_id) => (this.rooms.get(room_id)?.state ?? null) !== null);
    this.letters = new DeadLetters(bounds);
  }

  /** As it is now: replaced, never changed. */
  get app(): App {
    return this.settings;
  }

  /** Null: not there, or over. */
  loaded<S extends Subject>(kept: Kept<S> | undefined): Loaded<S> | null {
    if (kept === undefined || kept.state === null) return null;
    const { state, version } = kept;
    return { state, version, app: this.settings, revision: this.revision };
  }

  get closing(): boolean {
    return this.is_closing;
  }

  replace(settings: AppSettings): void {
    this.settings = appOf(settings, this.settings.created_at);
    this.revision += 1;
  }

  /** Is this the secret that signs? It is made up anew for each call that would set it, so a repeat is known by it. */
  signsWith(secret: string): boolean {
    return this.secret === secret;
  }

  rotate(secret: string, keep_old_ms: number, now: number): void {
    if (this.signsWith(secret)) return;
    const old = [{ secret: this.secret, until: now + keep_old_ms }, ...this.old_secrets];
    this.old_secrets = old.filter((kept) => kept.until > now).slice(0, OLD_SECRETS);
    this.secret = secret;
  }

  /** From now on it is being deleted: what is queued is tried once more, at once. */
  close(now: number): void {
    this.is_closing = true;
    this.outbox.hurry(this, now);
  }

  disableWebhooks(now: number): void {
    if (this.settings.webhook_disabled_at !== null) return;
    this.settings = { ...this.settings, webhook_disabled_at: now };
    this.outbox.hurry(this, now);
  }

  receiver(now: number): Receiver {
    const { webhook_url, webhook_disabled_at } = this.settings;
    const signing = this.old_secrets.filter((old) => old.until > now).map((old) => old.secret);
    const mode = webhook_disabled_at !== null ? "disabled" : this.is_closing ? "closing" : "normal";
    return { revision: this.revision, webhook_url, secrets: [this.secret, ...signing], mode };
  }

  /** Has this call or room not ended? */
  lives(id: string): boolean {
    return (this.sessions.get(id)?.state ?? this.rooms.get(id)?.state ?? null) !== null;
  }

  /** Is this the id of a call, or of a room, that everybody of the app may see? */
  shows(id: string, kind: SourceKind): boolean {
    return kind === "session" ? seen(this.sessions.get(id)) !== null : seen(this.rooms.get(id)) !== null;
  }

  createSession(session: Session, events: readonly StoredEvent[], now: number): void {
    const call = this.sessions.create(session.session_uuid, session);
    if (session.room !== null) this.conferences.move(call, null, session.room.room_id, now);
    this.publish(call.id, "session", events, now);
  }

  createRoom(room: Room, now: number): void {
    this.rooms.create(room.room_id, room);
    this.conferences.open(room, now);
  }

  commitSession(commit: Commit, state: Session, now: number): CommitOutcome {
    return this.sessions.commit(commit, state, this.revision, now, (before) => {
      const from = before.room?.room_id ?? null;
      const to = commit.life === "live" ? (state.room?.room_id ?? null) : null;
      const call = from === to ? undefined : this.sessions.get(commit.id);
      if (call !== undefined) this.conferences.move(call, from, to, now);
      this.publish(commit.id, "session", commit.events, now);
      if (commit.life === "ended") this.log.end(commit.id, now);
    });
  }

  commitRoom(commit: Commit, state: Room, now: number): CommitOutcome {
    return this.rooms.commit(commit, state, this.revision, now, () => {
      if (commit.life !== "live") this.conferences.close(state, now);
      this.publish(commit.id, "room", commit.events, now);
      if (commit.life === "ended") this.log.end(commit.id, now);
    });
  }

  /** Kept for whoever asks; queued, unless the app wants none. */
  private publish(id: string, kind: SourceKind, events: readonly StoredEvent[], now: number): void {
    this.log.append(id, kind, events, now);
    if (this.settings.webhook_url !== "") this.outbox.append(this, id, events, now);
  }

  bury(letter: DeadLetter): void {
    this.letters.add(letter);
  }

  replay(nonce: string, webhook_ids: readonly string[] | null, now: number): number | null {
    return this.letters.replay(nonce, webhook_ids, now, (letter) => this.outbox.replay(this, letter, now));
  }

  /** Deletes all that is its own. */
  remove(now: number): void {
    this.sessions.clear(now);
    this.rooms.clear(now);
    this.conferences.clear();
    this.outbox.remove(this);
  }

  /** Deletes what has outlived its time. */
  expire(now: number): void {
    this.quota.expire(now);
    this.sessions.expire(now);
    this.rooms.expire(now);
    this.log.expire(now);
    this.letters.expire(now);
    if (this.old_secrets.length > 0) this.old_secrets = this.old_secrets.filter((old) => old.until > now);
  }
}

function appOf(settings: AppSettings, created_at: number): App {
  const { app_id, webhook_url, rate_limit, events, dids } = settings;
  return { app_id, webhook_url, rate_limit, events, dids, created_at, webhook_disabled_at: null };
}
