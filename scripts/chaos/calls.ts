/** What apps do with calls, each as chance wants it: the kinds of calls there are, told command by command. */
import { setTimeout as delay } from "node:timers/promises";
import type { ScriptStep } from "../../src/engines/engine";
import { type Answered, ask } from "./asking";
import type { Fleet } from "./fleet";
import type { Instance } from "./instance";
import type { Ledger } from "./ledger";
import type { Seed } from "./seed";
import type { Source } from "./source";

export interface Scene {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly seed: Seed;
  readonly apps: readonly string[];
  /** How often each status was answered; `none`: the connection broke. */
  readonly statuses: Map<number | "none", number>;
}

/** The call is over, or its gateway. */
class Over extends Error {}

/** Whoever is not hung up hangs up himself in the end: nobody may know of him, if the answer that he was there was lost. */
const patient: readonly ScriptStep[] = [{ do: "wait", ms: 15_000 }, { do: "hangup" }];
/** Between commands. */
const thinkMs = [20, 400] as const;
/** So many commands are sent once more, to another gateway: of those whose answer was lost, and of all others. */
const againShare = { lost: 0.5, answered: 0.03 };
const heavyMs = 2050;

export class Caller {
  #commands = 0;

  private constructor(
    readonly scene: Scene,
    readonly ordinal: number,
    readonly instance: Instance,
    readonly source: Source,
  ) {}

  /** @returns null when nobody answered that it is there */
  static async place(
    scene: Scene,
    ordinal: number,
    instance: Instance,
    script: readonly ScriptStep[],
  ): Promise<Caller | null> {
    const { seed, apps, ledger } = scene;
    const app = seed.one(apps, "app", ordinal);
    const body = { did: `${apps.indexOf(app)}00`, caller_id: `caller-${ordinal}`, script };
    const answered = await ask(instance, "admin", "call", "POST", "/admin/sandbox/calls", body);
    count(scene, answered);
    if (answered?.status !== 201) return null;
    return new Caller(scene, ordinal, instance, ledger.source(String(answered.body.session_uuid), app));
  }

  get tone(): readonly string[] {
    return [`${this.instance.url}/samples/tone.wav`];
  }

  /** @returns whether it was accepted. @throws Over when there is nobody left to ask, or nothing to ask for */
  async command(name: string, body: object = {}): Promise<boolean> {
    await this.#think();
    const command_uid = `${this.ordinal}.${++this.#commands}`;
    return this.#ask(this.source, command_uid, `/api/v1/sessions/${this.source.id}/commands/${name}`, body);
  }

  async roomCommand(room: Source, name: string, body: object): Promise<boolean> {
    await this.#think();
    const command_uid = `${this.ordinal}.${++this.#commands}`;
    return this.#ask(room, command_uid, `/api/v1/conferences/${room.id}/${name}`, body);
  }

  /** A room on the call's gateway; null: nobody has answered that it is there. */
  async room(): Promise<Source | null> {
    await this.#think();
    const body = { name: `room-${this.ordinal}`, session_uuid: this.source.id };
    const answered = await this.#send(this.instance, "room", "POST", "/api/v1/conferences", body);
    if (answered?.status !== 201) return null;
    return this.scene.ledger.source(String(answered.body.room_id), this.source.app_id);
  }

  /** Until it is gone, or its gateway. */
  async deleteRoom({ id }: Source): Promise<void> {
    await this.until(async () => {
      await this.#think();
      const answered = await this.#send(this.instance, "room", "DELETE", `/api/v1/conferences/${id}`);
      return answered?.status === 204 || answered?.status === 404;
    });
  }

  /** Again until it is done, or nobody is there any more for whom it could be. */
  async until(done: () => Promise<boolean>): Promise<void> {
    while (this.instance.alive && !this.scene.ledger.givenUp) if (await done()) return;
  }

  #think(): Promise<void> {
    return delay(this.scene.seed.whole(...thinkMs, "think", this.ordinal, this.#commands));
  }

  async #ask(of: Source, command_uid: string, route: string, body: object): Promise<boolean> {
    const { seed, fleet } = this.scene;
    const command = { ...body, command_uid };
    const answered = await this.#send(this.instance, "command", "POST", route, command);
    this.#note(of, command_uid, answered);
    const share = answered === null ? againShare.lost : againShare.answered;
    if (seed.share("again", this.ordinal, this.#commands) < share) {
      const other = fleet.serving.find((instance) => instance !== this.instance);
      const again = other ? await this.#send(other, "command", "POST", route, command) : null;
      // Any other answer says nothing about the first try.
      if (again?.status === 202) this.#note(of, command_uid, again);
    }
    if (answered?.status === 404 || !this.instance.alive || this.source.end) throw new Over();
    return answered?.status === 202;
  }

  #note(of: Source, command_uid: string, answered: Answered | null): void {
    const { ledger } = this.scene;
    if (answered?.status === 202) {
      ledger.asked(of, command_uid, { outcome: "accepted", operation_id: String(answered.body.operation_id) });
    } else {
      // A 500 is answered also where the store did what it was asked for, and its answer did not come.
      const open = answered === null || answered.status === 500;
      ledger.asked(of, command_uid, { outcome: open ? "unknown" : "refused" });
    }
  }

  async #send(
    instance: Instance,
    what: string,
    method: string,
    route: string,
    body?: object,
  ): Promise<Answered | null> {
    // One that is asleep is asked like any other: nobody can tell.
    const answered = instance.alive
      ? await ask(instance, { app: this.source.app_id }, what, method, route, body)
      : null;
    count(this.scene, answered);
    return answered;
  }
}

function count({ statuses }: Scene, answered: Answered | null): void {
  const status = answered?.status ?? "none";
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
}

interface Story {
  readonly script: readonly ScriptStep[];
  readonly tell: (caller: Caller) => Promise<void>;
}

const keying: Story = {
  script: [
    { do: "wait_for", event: "call.answered" },
    { do: "press", digits: "1234567890*#AB", gap_ms: 20 },
  ],
  async tell(caller) {
    await caller.command("answer");
    await caller.command("playback/start", { urls: caller.tone });
    await delay(heavyMs);
  },
};

const collecting: Story = {
  script: [
    { do: "wait_for", event: "playback.started" },
    { do: "press", digits: "4711#", gap_ms: 20 },
    { do: "wait_for", event: "digits.collected" },
    { do: "press", digits: "0815", gap_ms: 20 },
  ],
  async tell(caller) {
    await caller.command("answer");
    await caller.command("play_and_get_digits", { prompt_files: caller.tone, min_digits: 1, max_digits: 8 });
    await delay(heavyMs);
    await caller.command("playback/silence", { duration_ms: 300 });
  },
};

const giving: Story = {
  script: [{ do: "wait", ms: 100 }, { do: "hangup" }],
  async tell() {
    // Nobody answers him.
  },
};

const seeking: Story = {
  script: [
    { do: "wait_for", event: "playback.started" },
    { do: "press", digits: "123", gap_ms: 200 },
  ],
  async tell(caller) {
    await caller.command("playback/start", { urls: caller.tone });
    await caller.command("answer");
    for (const command of ["pause", "resume", "restart", "stop"]) await caller.command(`playback/${command}`);
    await caller.command("playback/start", { urls: [...caller.tone, `${caller.instance.url}/nothing.wav`] });
  },
};

const meeting: Story = {
  script: [
    { do: "wait_for", event: "conference.member.joined" },
    { do: "press", digits: "77", gap_ms: 100 },
  ],
  async tell(caller) {
    await caller.command("answer");
    const room = await caller.room();
    if (!room) return;
    try {
      await caller.command("conference/join", { room_id: room.id });
      await caller.roomCommand(room, "play", { urls: caller.tone, loop: true });
      await caller.command("conference/mute");
      await caller.roomCommand(room, "volume", { volume: 2 });
      await delay(heavyMs);
      await caller.command("conference/leave");
    } finally {
      await caller.deleteRoom(room);
    }
  },
};

const stories: readonly (readonly [share: number, Story])[] = [
  [0.4, keying],
  [0.2, collecting],
  [0.05, giving],
  [0.2, seeking],
  [1, meeting],
];

const hangUp = (caller: Caller): Promise<void> => caller.until(() => caller.command("hangup"));

/** One call from its beginning to its end, or to that of its gateway. */
export async function call(scene: Scene, ordinal: number): Promise<void> {
  const { seed, fleet } = scene;
  await fleet.anyone();
  const { script, tell } = seed.weighted(stories, "story", ordinal);
  const caller = await Caller.place(scene, ordinal, seed.one(fleet.serving, "gateway", ordinal), [
    ...script,
    ...patient,
  ]);
  if (!caller) {
    // Who is refused does not come again at once.
    await delay(thinkMs[1]);
    return;
  }
  for (const part of [tell, hangUp]) {
    try {
      await part(caller);
    } catch (error) {
      if (!(error instanceof Over)) throw error;
    }
  }
}
