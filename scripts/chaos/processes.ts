/** What proc(5) tells of processes and of their sockets. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { codeOf } from "./code";

/** A number may be given again: together with the time of its beginning it is not. */
export interface Process {
  readonly pid: number;
  /** Clock ticks since the system was started. */
  readonly begun: number;
}

interface Stat extends Process {
  readonly parent: number;
  /** It has ended, and nobody has asked how. */
  readonly zombie: boolean;
}

/** @returns null when it is gone meanwhile: that alone is no error */
function look<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
}

function stat(pid: number): Stat | null {
  const text = look(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (text === null) return null;
  // After the name, which may hold anything but ends with the last bracket: state is field 3, ppid 4, starttime 22.
  const fields = text.slice(text.lastIndexOf(") ") + 2).split(" ");
  return { pid, parent: Number(fields[1]), zombie: fields[0] === "Z", begun: Number(fields[19]) };
}

/** Its children, theirs, and so on. */
export function processesBelow(pid: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => stat(Number(name)))
    .filter((found) => found !== null);
  const below: Process[] = [];
  const wanted = new Set([pid]);
  // A child may stand before its parent.
  for (let before = -1; before !== below.length; ) {
    before = below.length;
    for (const { pid: found, parent, begun } of all) {
      if (!wanted.has(parent) || wanted.has(found)) continue;
      wanted.add(found);
      below.push({ pid: found, begun });
    }
  }
  return below;
}

export function runs({ pid, begun }: Process): boolean {
  const found = stat(pid);
  return found !== null && !found.zombie && found.begun === begun;
}

/** The ports that a process has connected from to `port` of the loopback address, over IPv4. */
export function portsTo(port: number, pid: number): Set<number> {
  const own = new Set<string>();
  for (const name of look(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(look(() => readlinkSync(`/proc/${pid}/fd/${name}`)) ?? "") ?? [];
    if (inode !== undefined) own.add(inode);
  }
  const ports = new Set<number>();
  const target = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const line of (look(() => readFileSync(`/proc/${pid}/net/tcp`, "utf8")) ?? "").split("\n")) {
    if (!line.includes(target)) continue;
    const [, local = "", remote = "", , , , , , , inode = ""] = line.trim().split(/\s+/);
    if (remote.endsWith(target) && own.has(inode)) ports.add(Number.parseInt(local.split(":")[1] ?? "", 16));
  }
  return ports;
}
