/** A call as FreeSWITCH has it, and what this engine does with it there. */
import type { Deck } from "./deck";

/** In a conference, by the number that it has there. */
export interface Membership {
  readonly room: string;
  readonly member: number;
}

export interface RunningRecording {
  readonly recording_id: string;
  /** Null: begun by another process. */
  readonly path: string | null;
  readonly timer: NodeJS.Timeout | null;
}

export interface Channel {
  readonly uuid: string;
  readonly session_uuid: string;
  /** What it hears of its own. */
  readonly deck: Deck;
  /** Where it is. */
  inside: Membership | null;
  /** Where it is to be, and whether it is to be heard there. */
  room: string | null;
  muted: boolean;
  recording: RunningRecording | null;
}

/** The calls of one node, by their channels and by the names that the gateway has for them. */
export class Channels {
  readonly #node: string;
  readonly #byUuid = new Map<string, Channel>();

  constructor(node: string) {
    this.#node = node;
  }

  sessionOf(uuid: string): string {
    return `${this.#node}-${uuid}`;
  }

  /** The channel of a session of this node. */
  uuidOf(session_uuid: string): string {
    return session_uuid.slice(this.#node.length + 1);
  }

  add(channel: Channel): void {
    this.#byUuid.set(channel.uuid, channel);
  }

  remove(uuid: string): void {
    this.#byUuid.delete(uuid);
  }

  find(uuid: string): Channel | undefined {
    return this.#byUuid.get(uuid);
  }

  session(session_uuid: string): Channel | undefined {
    return this.#byUuid.get(this.uuidOf(session_uuid));
  }

  get all(): readonly Channel[] {
    return [...this.#byUuid.values()];
  }
}
