/** What a caller is to the checks. */
import { randomInt } from "node:crypto";
import type { Body } from "../../../contract";
import type { Endpoint } from "./endpoint";
import type { Answer } from "./messages";

export type ScriptStep = NonNullable<Body<"createSandboxCall">["script"]>[number];

/** The app that is called. */
export interface Called {
  /** Its number. */
  readonly did: string;
  readonly endpoint: Endpoint;
  get(path: string): Promise<Answer>;
}

/** A call that rings. */
export interface Placed {
  readonly session_uuid: string;
  /** Who calls, by what he said himself; null: nobody knows. */
  readonly caller_id: string | null;
  /** The line of the caller, where the kit has one. */
  readonly phone: Phone | null;
}

/** What a caller can say of the call from his side. */
export interface Phone {
  /** RTP packets so far; dBFS of the last second, -Infinity: silence. */
  readonly heard: { readonly packets: number; readonly level: number };
  /** How it ended; `status`: of the INVITE that was refused or cancelled, null after an answer. */
  readonly ended: Promise<{ readonly by: "caller" | "callee" | "failure"; readonly status: number | null }>;
  readonly answered: Promise<void>;
}

export interface Caller {
  readonly kind: "sandbox" | "sip" | "manual";
  /** The one number that can be called; null: any. */
  readonly number: string | null;
  /**
   * Rings the number of this app, and does what the script says.
   * @throws Skipped when such a call cannot be placed in this way
   */
  place(app: Called, script: readonly ScriptStep[]): Promise<Placed>;
  close(): Promise<void>;
}

/** Nobody else rings with this one. */
export const callerId = (): string => `88${randomInt(10 ** 9, 10 ** 10)}`;
