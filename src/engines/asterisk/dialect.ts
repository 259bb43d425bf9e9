/** What Asterisk says, read with care: events of its websocket and answers of ARI as far as the gateway uses them. */

export interface Channel {
  readonly id: string;
  readonly name: string;
  /** `Up` once it is answered. */
  readonly state: string;
  /** The caller's number; "" when it is not told. */
  readonly number: string;
  /** Where in the dialplan it is, and what it does there. */
  readonly exten: string;
  readonly app_name: string;
  readonly app_data: string;
}

export type AriEvent =
  | { readonly type: "StasisStart"; readonly channel: Channel; readonly args: readonly string[] }
  | { readonly type: "StasisEnd" | "ChannelStateChange"; readonly channel: Channel }
  | {
      readonly type: "ChannelDtmfReceived";
      readonly channel: Channel;
      readonly digit: string;
      readonly duration_ms: number;
    }
  /** `soft`: it is Asterisk, or somebody there, that wants it ended. `cause` by Q.850, 0 when it is not told. */
  | {
      readonly type: "ChannelHangupRequest";
      readonly channel: Channel;
      readonly soft: boolean;
      readonly cause: number;
    }
  | { readonly type: "ChannelDestroyed"; readonly channel: Channel; readonly cause: number }
  | { readonly type: "PlaybackStarted"; readonly id: string }
  | { readonly type: "PlaybackFinished"; readonly id: string; readonly failed: boolean }
  /** `at`: epoch milliseconds by Asterisk's clock. */
  | { readonly type: "RecordingStarted"; readonly name: string; readonly at: number }
  | { readonly type: "RecordingFinished"; readonly name: string }
  | { readonly type: "RecordingFailed"; readonly name: string; readonly reason: string }
  /** Another one listens for this application now: nothing more comes here. */
  | { readonly type: "ApplicationReplaced" }
  /** One that the gateway has no use for. */
  | { readonly type: "other" };

/** What was said is not what Asterisk says. The message names the field, never its value. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** An object of JSON, of which each field is asked for by its kind. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;

  /** @throws Malformed */
  constructor(value: unknown, what: string) {
    if (typeof value !== "object" || value === null) throw new Malformed(`${what} is no object`);
    this.#fields = new Map(Object.entries(value));
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    if (typeof value !== "string") throw new Malformed(`${name} is no text`);
    return value;
  }

  /** 0 when it is not there. */
  number(name: string): number {
    const value = this.#fields.get(name) ?? 0;
    if (typeof value !== "number") throw new Malformed(`${name} is no number`);
    return value;
  }

  true(name: string): boolean {
    return this.#fields.get(name) === true;
  }

  object(name: string): Fields {
    return new Fields(this.#fields.get(name), name);
  }

  texts(name: string): readonly string[] {
    return list(this.#fields.get(name), name).map((value) => {
      if (typeof value !== "string") throw new Malformed(`${name} has more than texts`);
      return value;
    });
  }

  get value(): unknown {
    return Object.fromEntries(this.#fields);
  }
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed(`${what} is no list`);
  return value;
}

function channelOf(value: unknown): Channel {
  const fields = new Fields(value, "channel");
  const dialplan = fields.object("dialplan");
  return {
    id: fields.text("id"),
    name: fields.text("name"),
    state: fields.text("state"),
    number: fields.object("caller").text("number"),
    exten: dialplan.text("exten"),
    app_name: dialplan.text("app_name"),
    app_data: dialplan.text("app_data"),
  };
}

/** @throws Malformed */
export function readEvent(text: string): AriEvent {
  const event = new Fields(parsed(text), "event");
  const type = event.text("type");
  const channel = () => channelOf(event.object("channel").value);
  switch (type) {
    case "StasisStart":
      return { type, channel: channel(), args: event.texts("args") };
    case "StasisEnd":
    case "ChannelStateChange":
      return { type, channel: channel() };
    case "ChannelDtmfReceived": {
      const digit = event.text("digit");
      if (!/^[0-9A-D*#]$/.test(digit)) throw new Malformed("digit is no key");
      return { type, channel: channel(), digit, duration_ms: event.number("duration_ms") };
    }
    case "ChannelHangupRequest":
      return { type, channel: channel(), soft: event.true("soft"), cause: event.number("cause") };
    case "ChannelDestroyed":
      return { type, channel: channel(), cause: event.number("cause") };
    case "PlaybackStarted":
      return { type, id: event.object("playback").text("id") };
    case "PlaybackFinished": {
      const playback = event.object("playback");
      return { type, id: playback.text("id"), failed: playback.text("state") === "failed" };
    }
    case "RecordingStarted":
      return { type, name: event.object("recording").text("name"), at: timeOf(event.text("timestamp")) };
    case "RecordingFinished":
      return { type, name: event.object("recording").text("name") };
    case "RecordingFailed":
      return { type, name: event.object("recording").text("name"), reason: "the media server could not record" };
    case "ApplicationReplaced":
      return { type };
    default:
      return { type: "other" };
  }
}

/** @throws Malformed */
export function readChannels(answer: unknown): readonly Channel[] {
  return list(answer, "channels").map(channelOf);
}

/** Of each bridge its id and the channels in it. @throws Malformed */
export function readBridges(answer: unknown): ReadonlyMap<string, readonly string[]> {
  const bridges = list(answer, "bridges").map((value): [string, readonly string[]] => {
    const bridge = new Fields(value, "bridge");
    return [bridge.text("id"), bridge.texts("channels")];
  });
  return new Map(bridges);
}

/** @throws Malformed */
export function readValue(answer: unknown): string {
  return new Fields(answer, "variable").text("value");
}

/** `started`: when it began to run, which tells one run from another. @throws Malformed */
export function readInfo(answer: unknown): { readonly version: string; readonly started: string } {
  const info = new Fields(answer, "info");
  return { version: info.object("system").text("version"), started: info.object("status").text("startup_time") };
}

/** `2026-11-23T02:29:39.330+0000`: ISO 8601, but for the colon in its zone. */
function timeOf(timestamp: string): number {
  const time = Date.parse(timestamp.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  if (Number.isNaN(time)) throw new Malformed("timestamp is no time");
  return time;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (err) {
    if (err instanceof SyntaxError) throw new Malformed("it is no JSON");
    throw err;
  }
}
