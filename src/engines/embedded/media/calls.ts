/** The calls of the media child, and what the main process wants of them. */
import type { Socket } from "node:dgram";
import { CallerVoice, simulatedRemote } from "./caller";
import { beatMs } from "./clock";
import type { Command, MediaSettings, Order, Remote, Report, Taken } from "./messages";
import { Ports } from "./ports";
import { RtpStream, type Transport } from "./stream";

interface Call {
  readonly stream: RtpStream;
  /** Null for a call with a socket. */
  readonly voice: CallerVoice | null;
  readonly close: () => void;
}

/** A command that was not taken, in the port's words, with the reason for the log. */
class NotTaken extends Error {
  constructor(
    readonly refusal: "gone" | "unreachable",
    reason: string,
  ) {
    super(reason);
  }
}

const nothing: Taken = { port: 0, stopped: null };
/** Calls begin on one beat of the frame after the other. */
const phases = 20 / beatMs;
/** What a simulated caller's packets come from. */
const nowhere = { address: "simulated", port: 0 };

export class Calls {
  private readonly calls = new Map<string, Call>();
  /** Calls whose socket is not bound yet. */
  private readonly opening = new Set<string>();
  private readonly ports: Ports;
  private beatNumber = 0;
  private opened = 0;

  constructor(
    private readonly settings: MediaSettings,
    private readonly report: (report: Report) => void,
  ) {
    this.ports = new Ports(settings.host, settings.portMin, settings.portMax);
  }

  beat(number: number): void {
    this.beatNumber = number;
    for (const { stream, voice } of this.calls.values()) {
      voice?.beat(number);
      stream.beat(number);
    }
  }

  /** Does what is ordered, and says so when the order has an id. */
  async take({ id, command }: Order): Promise<void> {
    try {
      // Most commands take no waiting: they are done before the next message is looked at.
      const outcome = command.do === "open" ? await this.open(command.call, command.kind) : this.obey(command);
      if (id !== null) this.report({ tell: "taken", id, ...outcome });
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      // Without an id it is a word for a call that is over: nothing is owed.
      if (id !== null) this.report({ tell: "refused", id, refusal: error.refusal, reason: error.message });
    }
  }

  private obey(command: Exclude<Command, { do: "open" }>): Taken {
    switch (command.do) {
      case "remote":
        this.negotiate(this.find(command.call), command.remote);
        return nothing;
      case "play":
        this.find(command.call).stream.play(command.play, command.file, command.from_ms);
        return nothing;
      case "stop":
        return { port: 0, stopped: this.find(command.call).stream.stop(command.only) };
      case "press":
        this.find(command.call).voice?.press(command.step, command.digits, command.gap_ms);
        return nothing;
      case "tone":
        this.find(command.call).voice?.tone(command.step, command.hz, command.ms);
        return nothing;
      case "close":
        this.close(command.call);
        return nothing;
      case "start":
      case "ping":
        return nothing;
    }
  }

  /** A simulated caller takes what it was given at the beginning. */
  private negotiate({ stream, voice }: Call, remote: Remote): void {
    if (voice === null) stream.setRemote(remote);
  }

  private find(name: string): Call {
    const call = this.calls.get(name);
    if (call === undefined) throw new NotTaken("gone", `No such call: ${name}`);
    return call;
  }

  private async open(name: string, kind: "socket" | "simulated"): Promise<Taken> {
    const phase = this.beatNumber + 1 + (this.opened++ % phases);
    if (kind === "simulated") {
      this.calls.set(name, this.simulate(name, phase));
      return nothing;
    }
    this.opening.add(name);
    const bound = await this.ports.take().catch((error: Error) => {
      throw new NotTaken("unreachable", error.message);
    });
    if (bound === null) throw new NotTaken("unreachable", "No RTP port is left");
    if (!this.opening.delete(name)) {
      bound.socket.close();
      throw new NotTaken("gone", `Closed while it was opened: ${name}`);
    }
    this.calls.set(name, this.connect(name, bound.socket, phase));
    return { port: bound.port, stopped: null };
  }

  private connect(name: string, socket: Socket, phase: number): Call {
    const stream = new RtpStream(name, transport(socket), this.settings.rtpTimeoutMs, phase, this.report);
    socket.on("message", (datagram, { address, port }) => stream.receive(datagram, address, port));
    socket.on("error", (error) => this.report({ tell: "trouble", call: name, reason: error.message }));
    return { stream, voice: null, close: () => socket.close() };
  }

  private simulate(name: string, phase: number): Call {
    const sink: Transport = { send: () => true };
    const stream = new RtpStream(name, sink, Number.POSITIVE_INFINITY, phase, this.report);
    stream.setRemote(simulatedRemote);
    const voice = new CallerVoice(
      phase,
      (packet) => stream.receive(packet, nowhere.address, nowhere.port),
      (step) => this.report({ tell: "pressed", call: name, step }),
    );
    return { stream, voice, close: () => {} };
  }

  private close(name: string): void {
    this.opening.delete(name);
    const call = this.calls.get(name);
    if (call === undefined) return;
    this.calls.delete(name);
    call.stream.close();
    call.close();
    this.report({ tell: "closed", call: name, counters: call.stream.counters });
  }
}

function transport(socket: Socket): Transport {
  return {
    send(packet, address, port) {
      // What the kernel does not take at once would wait in a queue and go out when its time is over.
      if (socket.getSendQueueCount() > 0) return false;
      socket.send(packet, port, address);
      return true;
    },
  };
}
