/** What FreeSWITCH has, as `show channels as json` and `conference <room> json_list` tell it. */
import { isChannel, isRoom } from "./commands";

/** Who is in a conference: the number that it has there, and whether it is heard. */
export interface MemberRow {
  readonly uuid: string;
  readonly member: number;
  readonly muted: boolean;
}

export interface ChannelRow {
  readonly uuid: string;
  readonly inbound: boolean;
  readonly answered: boolean;
  /** In the application `park`. */
  readonly parked: boolean;
  /** The room in whose conference it was begun last; it may have left it since. */
  readonly room: string | null;
}

/** @throws for what is no such answer */
export function channelRows(answer: string): ReadonlyMap<string, ChannelRow> {
  const told: unknown = JSON.parse(answer);
  if (!isObject(told) || typeof told.row_count !== "number") throw new Error("FreeSWITCH does not tell its channels");
  const rows = told.rows ?? [];
  if (!Array.isArray(rows)) throw new Error("FreeSWITCH does not tell its channels in rows");
  const found = rows.flatMap((row: unknown) => rowOf(row) ?? []);
  return new Map(found.map((row) => [row.uuid, row]));
}

/** @returns nobody where there is no such conference. @throws for what is no such answer */
export function memberRows(answer: string): readonly MemberRow[] {
  if (answer.startsWith("-ERR")) return [];
  const told: unknown = JSON.parse(answer);
  if (!Array.isArray(told)) throw new Error("FreeSWITCH does not tell who is in a conference");
  const members = told.flatMap((room: unknown): unknown => (isObject(room) ? (room.members ?? []) : []));
  return members.flatMap((row: unknown): MemberRow[] => {
    if (!isObject(row)) return [];
    const { uuid, id, flags } = row;
    if (typeof uuid !== "string" || typeof id !== "number") return [];
    return [{ uuid, member: id, muted: isObject(flags) && flags.can_speak === false }];
  });
}

/** Null for a channel of another kind: those have ids of other forms. */
function rowOf(row: unknown): ChannelRow | null {
  if (!isObject(row)) return null;
  const text = (name: string): string => {
    const value = row[name];
    return typeof value === "string" ? value : "";
  };
  const uuid = text("uuid");
  if (!isChannel(uuid)) return null;
  const application = text("application");
  const conference = text("application_data").split("@", 1)[0] ?? "";
  return {
    uuid,
    inbound: text("direction") === "inbound",
    answered: text("callstate") === "ACTIVE" || text("callstate") === "HELD",
    parked: application === "park",
    room: application === "conference" && isRoom(conference) ? conference : null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
