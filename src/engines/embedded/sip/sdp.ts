/** SDP of an audio call: offer and answer (RFC 3264) for G.711 and telephone-event over RTP/AVP. */
import { randomInt } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import { parse } from "sdp-transform";
import type { Remote } from "../media/messages";

/** Where this end receives RTP. */
export interface LocalMedia {
  readonly address: string;
  readonly port: number;
}

/** What was agreed with the caller: the media process is told the same. */
export type RemoteMedia = Remote;

/** An offer that this end can answer. */
export interface MediaOffer {
  /** What an answer to it agrees on. */
  readonly remote: RemoteMedia;
  /** Every media line in its order, as an answer has to repeat them. */
  readonly lines: readonly OfferedLine[];
}

/** One m= line. Exactly one of an offer is chosen, all others are refused with port 0. */
export interface OfferedLine {
  readonly chosen: boolean;
  readonly type: string;
  readonly protocol: string;
  /** The first format of the line. */
  readonly format: string;
}

type Direction = "sendrecv" | "sendonly" | "recvonly" | "inactive";
const directions: readonly string[] = ["sendrecv", "sendonly", "recvonly", "inactive"] satisfies Direction[];
const maxLines = 32;
const ptimes = [10, 20, 30, 40, 50, 60];

/** Field of sdp-transform: it gives numbers where text looks like one, whatever its types say. */
function text(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function directionOf(...values: unknown[]): Direction {
  const given = values.map(text).find((value) => directions.includes(value));
  return given === "sendonly" || given === "recvonly" || given === "inactive" ? given : "sendrecv";
}

/** An address that RTP may go to: a literal of the family, no multicast. Names are not looked up. */
function isUsable(address: string, family: number): boolean {
  if (isIP(address) !== family) return false;
  return family === 4 ? Number(address.split(".", 1)[0]) < 224 : !address.toLowerCase().startsWith("ff");
}

/** The highest ptime of ours that does not exceed what the other side takes; 20 where it says nothing of use. */
function ptimeOf(ptime: string, maxptime: string): number {
  const wanted = ptimes.includes(Number(ptime)) ? Number(ptime) : 20;
  const most = /^\d{1,4}$/.test(maxptime) ? Number(maxptime) : 60;
  return wanted <= most ? wanted : (ptimes.findLast((each) => each <= most) ?? 10);
}

type Line = ReturnType<typeof parse>["media"][number];

/** The static payload types, which need no rtpmap (RFC 3551 section 6). */
const names: ReadonlyMap<string, string> = new Map([
  ["0", "pcmu/8000"],
  ["8", "pcma/8000"],
]);

/** Formats of a line that can be taken: the first of PCMU and PCMA, and telephone-event at their rate. */
function formatsOf(line: Line): { payload: 0 | 8 | null; dtmfPayload: number | null } {
  const offered = text(line.payloads).split(" ");
  const mapped = new Map(
    line.rtp.map((map) => [text(map.payload), `${text(map.codec)}/${text(map.rate)}`.toLowerCase()]),
  );
  const first = offered.find(
    (format) => names.has(format) && (mapped.get(format) ?? names.get(format)) === names.get(format),
  );
  const dtmf = offered.find((format) => /^\d{1,3}$/.test(format) && mapped.get(format) === "telephone-event/8000");
  const dtmfPayload = dtmf === undefined || Number(dtmf) > 127 ? null : Number(dtmf);
  return { payload: first === undefined ? null : first === "0" ? 0 : 8, dtmfPayload };
}

/** Only the lines that count go into the parser: others may be endless, or cost its expressions more than their length. */
function read(sdp: string): string {
  const known = /^(?:[cm]=|a=(?:rtpmap|ptime|maxptime):|a=(?:sendrecv|sendonly|recvonly|inactive)\s*$)/;
  return sdp
    .split(/\r\n|\r|\n/)
    .filter((line) => line.length <= 512 && known.test(line))
    .join("\r\n");
}

/**
 * The SDP of a caller, as an offer or as the answer to ours. Null when it has no audio that can be taken: PCMU or PCMA
 * over RTP/AVP, at a literal address of our family.
 */
export function readSdp(body: Buffer, family: 4 | 6): MediaOffer | null {
  const sdp = parse(read(body.toString("latin1")));
  if (sdp.media.length > maxLines || !sdp.media.every((line) => line.type && line.protocol)) return null;
  const agreed = sdp.media.map((line): RemoteMedia | null => {
    const { payload, dtmfPayload } = formatsOf(line);
    const port = Number(text(line.port));
    const connection = line.connection ?? sdp.connection;
    const address = text(connection?.ip);
    if (text(line.type) !== "audio" || text(line.protocol) !== "RTP/AVP" || payload === null) return null;
    if (!(port > 0 && port < 65_536) || !isUsable(address, family)) return null;
    const direction = directionOf(line.direction, sdp.direction);
    // The hold of RFC 2543: nowhere to send to.
    const nowhere = address === "0.0.0.0" || address === "::";
    const send = !nowhere && (direction === "sendrecv" || direction === "recvonly");
    const receive = direction === "sendrecv" || direction === "sendonly";
    const ptime = ptimeOf(text(line.ptime), text(line.maxptime));
    return { address, port, payload, dtmfPayload, ptime, send, receive };
  });
  const chosen = agreed.findIndex((remote) => remote !== null);
  const remote = agreed[chosen];
  if (!remote) return null;
  const lines = sdp.media.map((line, index) => ({
    chosen: index === chosen,
    type: text(line.type),
    protocol: text(line.protocol),
    format: text(line.payloads).split(" ", 1)[0] || "0",
  }));
  return { remote, lines };
}

const codecs = { 0: "PCMU", 8: "PCMA" } as const;

function audio(
  port: number,
  payloads: readonly (0 | 8)[],
  dtmfPayload: number | null,
  ptime: number,
  direction: Direction,
): string[] {
  const formats = dtmfPayload === null ? payloads : [...payloads, dtmfPayload];
  const lines = [`m=audio ${port} RTP/AVP ${formats.join(" ")}`];
  for (const payload of payloads) lines.push(`a=rtpmap:${payload} ${codecs[payload]}/8000`);
  if (dtmfPayload !== null) lines.push(`a=rtpmap:${dtmfPayload} telephone-event/8000`, `a=fmtp:${dtmfPayload} 0-15`);
  lines.push(`a=ptime:${ptime}`, `a=${direction}`);
  return lines;
}

/** Our side of one dialog. Its version goes up when, and only when, what we say changes (RFC 3264 section 8). */
export class LocalSdp {
  readonly #id = randomInt(1, 2 ** 31);
  #version = 1;
  #said = "";

  constructor(
    readonly local: LocalMedia,
    /** Stands in place of the media's address. */
    private readonly publicHost: string | null,
  ) {}

  #write(media: readonly string[]): string {
    const address = this.publicHost ?? this.local.address;
    const place = `IN IP${isIPv6(address) ? 6 : 4} ${address}`;
    const said = ["s=-", `c=${place}`, "t=0 0", ...media, ""].join("\r\n");
    if (this.#said !== "" && said !== this.#said) this.#version++;
    this.#said = said;
    return `v=0\r\no=- ${this.#id} ${this.#version} ${place}\r\n${said}`;
  }

  /** All we can, for a caller who offers nothing. */
  offer(): string {
    return this.#write(audio(this.local.port, [0, 8], 101, 20, "sendrecv"));
  }

  /** One codec, the same events, the direction turned around; every other line is refused (RFC 3264 section 6). */
  answer({ remote, lines }: MediaOffer): string {
    const media = lines.flatMap((line) =>
      line.chosen
        ? audio(
            this.local.port,
            [remote.payload],
            remote.dtmfPayload,
            remote.ptime,
            directionFor(remote.send, remote.receive),
          )
        : [`m=${line.type} 0 ${line.protocol} ${line.format}`],
    );
    return this.#write(media);
  }
}

function directionFor(send: boolean, receive: boolean): Direction {
  if (send) return receive ? "sendrecv" : "sendonly";
  return receive ? "recvonly" : "inactive";
}
