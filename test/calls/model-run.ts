/** One random sequence through the whole gateway, and what has to hold at its end, whoever has the calls. */
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "@jest/globals";
import { CallStory, membersBy, Stories, type Told, toldBy } from "../sessions/model";
import { Ledger } from "../sessions/model-ledger";
import type { Sequence, Step } from "./model-steps";
import type { CommandBody, CommandName, Script, Stage } from "./stage";

/** Those who call. */
export interface Callers {
  /** Does what the script says; resolves with the session once that is known. */
  call(script: Script): Promise<string>;
  /** Hangs up, wherever his call is by now. */
  leave(session_uuid: string): Promise<void>;
}

export class Run {
  readonly #name: string;
  readonly #stage: Stage;
  readonly #callers: Callers;
  readonly #ledger = new Ledger();
  #calls: readonly string[] = [];
  #rooms: readonly string[] = [];
  #commands = 0;

  constructor(name: string, stage: Stage, callers: Callers) {
    this.#name = name;
    this.#stage = stage;
    this.#callers = callers;
  }

  async play({ scripts, steps }: Sequence): Promise<void> {
    this.#calls = await Promise.all(scripts.map((script) => this.#callers.call(script)));
    this.#rooms = await Promise.all([1, 2].map((n) => this.#stage.room(`${this.#name}-${n}`)));
    for (const id of this.#calls.slice(0, 2)) await this.#command(id, "answer", {}, true);
    let under_way: Promise<unknown>[] = [];
    for (const step of steps) {
      under_way.push(this.#step(step));
      if (step.next) continue;
      await Promise.all(under_way);
      under_way = [];
      await delay(step.pause);
      await this.#compare(this.#calls[step.which] ?? "");
    }
    await Promise.all(under_way);
    await this.#end();
  }

  #step({ command, which, form, twice, insists }: Step): Promise<unknown> {
    const ids = command.startsWith("room/") ? this.#rooms : this.#calls;
    const id = ids[which % ids.length] ?? "";
    const send = this.#command(id, command, this.#body(command, form), insists);
    return send.then(async ({ again }) => {
      if (twice) await again();
    });
  }

  #body(command: CommandName, form: number): CommandBody<CommandName> {
    const { files } = this.#stage;
    const [short, missing] = [files.tone(200), files.missing()];
    const urls = [[short], [short, missing], [files.tone(60_000)], [missing]];
    switch (command) {
      case "playback/start":
      case "room/play":
        return { urls: urls[form] };
      case "play_and_get_digits":
        return { prompt_files: urls[0], max_digits: 2, timeout_ms: 500 };
      case "playback/seek":
        return { offset_sec: form };
      case "playback/silence":
        return { duration_ms: 300 };
      case "conference/join":
        return { room_id: this.#rooms[form % 2], muted: form === 2 };
      case "room/volume":
        return { volume: form };
      default:
        return {};
    }
  }

  /** @returns what sends the same again, under its uid */
  async #command(id: string, name: CommandName, body: CommandBody<CommandName>, insists: boolean) {
    this.#commands += 1;
    const command_uid = `${this.#name}.${this.#commands}`;
    const send = () => this.#send(id, name, { ...body, command_uid }, command_uid);
    const retry_after_ms = await send();
    if (insists && retry_after_ms !== null) {
      await delay(retry_after_ms);
      await send();
    }
    return { again: () => Promise.all([send(), send()]) };
  }

  /** @returns how long the cooldown lasts that it was refused for */
  async #send(
    id: string,
    command: CommandName,
    body: CommandBody<CommandName>,
    command_uid: string,
  ): Promise<number | null> {
    const answer = await this.#stage.command(id, command, body);
    if (answer.status === 202) {
      const operation_id = String(answer.body?.operation_id);
      const replayed = answer.headers["idempotent-replayed"] === "true";
      if (replayed) this.#ledger.replayed({ id, command, command_uid }, { operation_id, status: 202 });
      else this.#ledger.begin({ id, command, command_uid, operation_id }).answer = "taken";
    } else if (![404, 409, 429].includes(answer.status)) throw new Error(`${command}: ${answer.status} ${answer.text}`);
    const { retry_after_ms } = { retry_after_ms: null, ...Object(answer.body?.detail) };
    return answer.status === 429 ? retry_after_ms : null;
  }

  /** What a call is said to be is what its events say, as far as none came in between. */
  async #compare(id: string): Promise<void> {
    const before = await this.#events(id);
    const { status, body } = await this.#stage.session(id);
    const after = await this.#events(id);
    if (before.length !== after.length) return;
    const story = new CallStory(id);
    for (const told of after) story.take(told);
    expect({ id, over: story.over }).toEqual({ id, over: status === 404 });
    if (status === 404) return;
    const { answered_at, room_id, muted, playback, recording } = Object(body);
    expect({ id, answered: answered_at !== null, room_id, muted, playing: playback?.command_uid ?? null }).toEqual({
      id,
      answered: story.answered,
      room_id: story.room?.room_id ?? null,
      muted: story.room?.muted ?? false,
      playing: story.playing,
    });
    if (recording) expect(story.recorded).toContain(recording.command_uid);
  }

  async #end(): Promise<void> {
    const { receiver } = this.#stage;
    for (const id of this.#rooms) expect((await this.#stage.app("DELETE", `/conferences/${id}`)).status).toBe(204);
    for (const id of this.#calls) await this.#command(id, "hangup", {}, false);
    // One that was handed back is not the app's to end.
    for (const id of this.#calls) if (!receiver.names(id).includes("call.hangup")) await this.#callers.leave(id);
    for (const id of this.#calls) await receiver.event("call.hangup", id);
    for (const id of this.#rooms) await receiver.event("conference.destroyed", id);
    const stories = new Stories();
    for (const id of this.#calls) {
      const results = receiver.of(id).flatMap(({ data }) => ("operation_id" in data && data.success ? [data] : []));
      const recorded = results.filter(({ command }) => command === "record/start");
      for (const { command_uid } of recorded) await this.#completed(id, command_uid);
    }
    for (const id of [...this.#calls, ...this.#rooms]) await this.#kept(id, stories);
    this.#ledger.settled(stories);
  }

  #completed(id: string, command_uid: string) {
    const { receiver } = this.#stage;
    const ofCommand = (data: object) => "command_uid" in data && data.command_uid === command_uid;
    return receiver.until(() =>
      receiver.of(id).find(({ event, data }) => event === "recording.completed" && ofCommand(data)),
    );
  }

  /** What is told again is what was received. */
  async #kept(id: string, stories: Stories): Promise<void> {
    const list = await this.#events(id);
    const own = list.filter(({ source }) => source === id);
    for (const told of own) stories.take(told);
    await this.#stage.receiver.until(() => (this.#stage.receiver.of(id).length >= own.length ? true : undefined));
    expect(this.#stage.receiver.of(id)).toMatchObject(own);
    if (id.includes("-room-")) expect([...membersBy(id, list)]).toEqual([]);
  }

  async #events(id: string): Promise<Told[]> {
    const kind = id.includes("-room-") ? "conferences" : "sessions";
    const { status, body, text } = await this.#stage.app("GET", `/${kind}/${id}/events?limit=1000`);
    if (status !== 200) throw new Error(`events of ${id}: ${status} ${text}`);
    return Object(body).events.map((event: unknown) => toldBy(JSON.stringify(event)));
  }
}
