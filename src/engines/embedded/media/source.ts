/** Who may speak for the caller: symmetric RTP with a lock (the reasons of RFC 4961, and the risk it leaves open). */
import { isIP } from "node:net";
import type { Packet } from "./rtp";

interface Sender {
  readonly address: string;
  readonly port: number;
}

/** Packets in a row, of one SSRC and with rising sequence numbers, that a newcomer must show (cf. RFC 3550, A.1). */
const probation = 3;
/** How long the present source must have been silent before just anybody may take over. */
const silentMs = 1000;

/**
 * 1. The first valid packet locks its address and port, wherever it comes from: callers behind a NAT do not know their own.
 * 2. What comes from the locked address and port is the caller, whatever its SSRC.
 * 3. Another source takes over after three packets in a row, and only when it is the very address and port of the SDP, or
 *    when the locked one has been silent for a second (a NAT that rebinds). Until then it is not heard.
 *
 * So a stranger who merely finds the port cannot hijack a call in which the caller speaks. Who can forge the caller's
 * address can: only SRTP would keep him out.
 */
export class Source {
  private locked: Sender | null = null;
  private candidate: (Sender & { ssrc: number; next: number; run: number }) | null = null;

  /** `signalled`: what the SDP says. */
  constructor(private readonly signalled: Sender) {
    this.destination = reachable(signalled) ? signalled : null;
  }

  /** Where to send to: where the caller sends from, or until he did, what the SDP says. Null when that is nowhere. */
  destination: Sender | null;

  /** Is the packet the caller's? `quietMs`: how long there was none. */
  admit(packet: Packet, address: string, port: number, quietMs: number): boolean {
    if (this.locked === null) return this.lock(address, port);
    if (port === this.locked.port && address === this.locked.address) return true;
    const announced = port === this.signalled.port && address === this.signalled.address;
    if (!announced && quietMs < silentMs) return false;
    if (!this.proves(packet, address, port)) return false;
    return this.lock(address, port);
  }

  private lock(address: string, port: number): true {
    this.locked = { address, port };
    this.destination = this.locked;
    this.candidate = null;
    return true;
  }

  private proves(packet: Packet, address: string, port: number): boolean {
    const { ssrc, sequence } = packet;
    const last = this.candidate;
    const follows =
      last !== null && last.port === port && last.address === address && last.ssrc === ssrc && last.next === sequence;
    const run = follows ? last.run + 1 : 1;
    this.candidate = { address, port, ssrc, next: (sequence + 1) & 0xffff, run };
    return run >= probation;
  }
}

/** To 0.0.0.0 would be to ourselves; in an SDP it means a hold (RFC 3264, section 8.4). */
function reachable({ address, port }: Sender): boolean {
  return port > 0 && port < 65536 && isIP(address) !== 0 && address !== "0.0.0.0" && address !== "::";
}
