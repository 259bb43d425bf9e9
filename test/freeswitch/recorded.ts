/** What went over the event socket of a real FreeSWITCH 1.10.12, byte by byte. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";

/** Compiled tests lie in dist/test/freeswitch. */
const folder = path.join(__dirname, "../../../test/fixtures/freeswitch");

/** How many frames of the server each trace has, as the summaries of the traces tell. */
export const frameCounts: ReadonlyMap<string, number> = countsOf(
  JSON.parse(readFileSync(path.join(folder, "frames.json"), "utf8")),
);

function countsOf(told: unknown): Map<string, number> {
  if (typeof told !== "object" || told === null) throw new Error("no frame counts");
  return new Map(Object.entries(told).map(([name, count]) => [name, Number(count)]));
}

export interface Block {
  readonly from: "server" | "client";
  readonly connection: string;
  readonly text: string;
}

const traces = new Map<string, readonly Block[]>();

/** A trace in its order. Between two frames there are empty lines that were not on the wire. */
export function trace(name: string): readonly Block[] {
  const known = traces.get(name);
  if (known) return known;
  const text = gunzipSync(readFileSync(path.join(folder, `${name}.txt.gz`))).toString("utf8");
  const parts = text.split(/^(?=(?:<<<|>>>|\*\*\*|########) )/m);
  const blocks = parts.flatMap((part): Block[] => {
    const [, arrow, connection] = /^(<<<|>>>) \S+ \[(\w+)\]\n/.exec(part) ?? [];
    if (arrow === undefined || connection === undefined) return [];
    const from = arrow === "<<<" ? "server" : "client";
    return [{ from, connection, text: part.slice(part.indexOf("\n") + 1) }];
  });
  traces.set(name, blocks);
  return blocks;
}

/** A recorded event as its lines, to be sent again about another channel. */
export class Template {
  readonly #lines: readonly (readonly [name: string, value: string])[];
  /** The channel that it was about. */
  readonly uuid: string;

  constructor(name: string, ...marks: readonly string[]) {
    const body = trace(name)
      .filter(({ from, text }) => from === "server" && text.includes("text/event-plain"))
      .map(({ text }) => text.slice(text.indexOf("\n\n") + 2))
      .find((text) => marks.every((mark) => text.includes(mark)));
    if (body === undefined) throw new Error(`nothing in ${name} has ${marks.join(", ")}`);
    const head = body.slice(0, body.indexOf("\n\n"));
    this.#lines = head.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
    this.uuid = this.#lines.find(([key]) => key === "Unique-ID")?.[1] ?? "";
  }

  /**
   * @param fields take the place of what was recorded, or come behind it; null: left out
   * @returns the event, without the head of its frame
   */
  about(uuid: string, fields: Readonly<Record<string, string | number | null>>): string {
    const left = new Map(Object.entries(fields));
    const lines = this.#lines.flatMap(([name, value]) => {
      const given = left.get(name);
      if (given === undefined) return [`${name}: ${this.uuid === "" ? value : value.replaceAll(this.uuid, uuid)}`];
      return given === null ? [] : [`${name}: ${encoded(String(given))}`];
    });
    const known = new Set(this.#lines.map(([name]) => name));
    for (const [name, value] of left)
      if (!known.has(name) && value !== null) lines.push(`${name}: ${encoded(String(value))}`);
    return `${lines.join("\n")}\n\n`;
  }
}

/** As FreeSWITCH does: `/`, `,` and what stands in URLs unhurt stay, and so does a `%` before two hexadecimal digits. */
export function encoded(value: string): string {
  return encodeURIComponent(value)
    .replaceAll("%2F", "/")
    .replaceAll("%2C", ",")
    .replace(/%25([0-9A-Fa-f]{2})/g, "%$1");
}
