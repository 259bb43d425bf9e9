/** What the console remembers in this tab: credentials, and the ids that answers and events have named last. */
import { demo } from "../../cli/demo";

export interface Credentials {
  readonly app: string;
  readonly key: string;
  readonly admin: string;
}

/** Ids that later requests name. */
const known = ["session_uuid", "room_id", "recording_id"] as const;
export type KnownId = (typeof known)[number];

function read(name: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(`voicegate.${name}`) ?? "{}");
  } catch {
    // Nothing is kept for this page, or what is there was written by somebody else: begin anew.
    return {};
  }
}

function write(name: string, value: object): void {
  try {
    sessionStorage.setItem(`voicegate.${name}`, JSON.stringify(value));
  } catch {
    // Nothing is kept for this page: it lasts as long as the page.
  }
}

function texts(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

let credentialsNow: Credentials = { ...demo, ...texts(read("credentials")) };
let idsNow: Readonly<Record<string, string>> = texts(read("ids"));

export function credentials(): Credentials {
  return credentialsNow;
}

export function keepCredentials(changes: Partial<Credentials>): void {
  credentialsNow = { ...credentialsNow, ...changes };
  write("credentials", credentialsNow);
}

export function rememberedId(name: KnownId): string | null {
  return idsNow[name] ?? null;
}

/** Takes what an answer or the data of an event names; what is null or missing changes nothing. */
export function remember(value: unknown): void {
  const found = texts(value);
  const fresh = known.flatMap((name) => (found[name] === undefined ? [] : [[name, found[name]] as const]));
  if (fresh.length === 0) return;
  idsNow = { ...idsNow, ...Object.fromEntries(fresh) };
  write("ids", idsNow);
}
