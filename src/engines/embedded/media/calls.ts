/** The calls and rooms of the media child, and what the main process wants of them. */
import type { Socket } from "node:dgram";
import { CallerVoice, simulatedRemote } from "./caller";
import { beatMs } from "./clock";
import type { Deck } from "./deck";
import type {
  Command,
  MediaSettings,
  Order,
  PlayCommand,
  RecordCommand,
  Remote,
  Report,
  RoomCommand,
  Taken,
} from "./messages";
import { Ports } from "./ports";
import { Recordings } from "./recordings";
import { Room } from "./room";
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

const nothing: Taken = {};
/** Calls begin on one beat of the frame after the other, and so do rooms. */
const phases = 20 / beatMs;
/** What a simulated caller's packets come from. */
const nowhere = { address: "simulated", port: 0 };

export class Calls {
  private readonly calls = new Map<string, Call>();
  /** Calls whose socket is not bound yet. */
  private readonly opening = new Set<string>();
  private readonly rooms = new Map<string, Room>();
  private readonly recordings: Recordings;
  private readonly ports: Ports;
  private beatNumber = 0;
  private opened = 0;
  private openedRooms = 0;

  constructor(
    private readonly settings: MediaSettings,
    private readonly report: (report: Report) => void,
  ) {
    this.ports = new Ports(settings.host, settings.portMin, settings.portMax);
    this.recordings = new Recordings(report);
  }

  beat(number: number): void {
    this.beatNumber = number;
    // Before the calls, which hear what was mixed last.
    for (const room of this.rooms.values()) room.beat(number);
    for (const { stream, voice } of this.calls.values()) {
      voice?.beat(number);
      stream.beat(number);
    }
  }

  /** Does what is ordered, and says so when the order has an id. */
  async take({ id, command }: Order): Promise<void> {
    try {
      // Most commands take no waiting: they are done before the next message is looked at.
      const outcome = await this.obey(command);
      if (id !== null) this.report({ tell: "taken", id, ...outcome });
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      // Without an id it is a word for a call that is over: nothing is owed.
      if (id !== null) this.report({ tell: "refused", id, refusal: error.refusal, reason: error.message });
    }
  }

  private obey(command: Command): Taken | Promise<Taken> {
    switch (command.do) {
      case "open":
        return this.open(command.call, command.kind);
      case "remote":
        this.negotiate(this.find(command.call), command.remote);
        return nothing;
      case "play":
      case "pause":
      case "seek":
      case "volume":
      case "stop":
        return this.player(this.deck(command.target), command);
      case "open_room":
      case "close_room":
      case "join":
      case "leave":
      case "mute":
        this.confer(command);
        return nothing;
      case "record":
        return this.record(command);
      case "stop_recording":
        if (command.discard !== null) this.recordings.discard(command.discard);
        else this.find(command.call).stream.mixer.stopRecording();
        return nothing;
      case "press":
        this.find(command.call).voice?.press(command.step, command.digits, command.gap_ms);
        return nothing;
      case "tone":
        this.find(command.call).voice?.tone(command.step, command.hz, command.ms);
        return nothing;
      case "close":
        this.close(command.call);
        return nothing;
      case "end":
        return this.end();
      case "start":
      case "ping":
        return nothing;
    }
  }

  private deck(target: string): Deck {
    return this.rooms.get(target)?.deck ?? this.find(target).stream.mixer.deck;
  }

  private player(deck: Deck, command: PlayCommand): Taken {
    switch (command.do) {
      case "play":
        deck.play(command.play, command.sound, command.from_ms, command.paused, command.volume);
        return nothing;
      case "pause":
        return { position: deck.pause(command.paused) };
      case "seek":
        return { position: deck.seek(command.offset_ms) };
      case "volume":
        return { position: deck.volume(command.volume) };
      case "stop":
        return { position: deck.stop(command.only) };
    }
  }

  private confer(command: RoomCommand): void {
    switch (command.do) {
      case "open_room":
        if (!this.rooms.has(command.room)) this.openRoom(command.room);
        break;
      case "close_room": {
        const room = this.rooms.get(command.room);
        if (room === undefined || (command.unused && !room.unused)) return;
        this.rooms.delete(command.room);
        room.close();
        break;
      }
      case "join": {
        const { mixer } = this.find(command.call).stream;
        const room = this.rooms.get(command.room);
        if (room === undefined) throw new NotTaken("gone", `No such room: ${command.room}`);
        mixer.enter(room, command.muted);
        break;
      }
      case "leave": {
        const { mixer } = this.find(command.call).stream;
        if (command.only === null || mixer.isIn(this.rooms.get(command.only))) mixer.leave();
        break;
      }
      case "mute":
        this.find(command.call).stream.mixer.mute(command.muted);
        break;
    }
  }

  private openRoom(name: string): void {
    const phase = this.beatNumber + 1 + (this.openedRooms++ % phases);
    this.rooms.set(name, new Room(name, phase, this.report));
  }

  private async record(command: Extract<RecordCommand, { do: "record" }>): Promise<Taken> {
    const call = this.find(command.call);
    try {
      const recording = await this.recordings.begin(command);
      if (recording === null) throw new NotTaken("gone", `Stopped while its file was made: ${command.recording_id}`);
      if (this.calls.get(command.call) !== call) {
        recording.discard();
        throw new NotTaken("gone", `Closed while a file was made: ${command.call}`);
      }
      call.stream.mixer.record(recording);
      return nothing;
    } catch (error) {
      if (error instanceof NotTaken || !(error instanceof Error)) throw error;
      return { failure: error.message };
    }
  }

  private async end(): Promise<Taken> {
    for (const name of [...this.calls.keys(), ...this.opening]) this.close(name);
    await this.recordings.settled();
    return nothing;
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
    return { port: bound.port };
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
