/** The moments at which a call can end, how it gets there, and what it owes when it ends then. */
import { opening, type Stage } from "./stage";

export interface Moment {
  readonly name: string;
  readonly answered: boolean;
  /** Brings a call that rings there; resolves once all of `before` has been committed. */
  reach(stage: Stage, session_uuid: string): Promise<void>;
  /** What was told of it until then. */
  readonly before: readonly string[];
  /** What ends first; `*` is the reason why it left its room. */
  readonly ended: readonly string[];
  /** A recording is completed after the end. */
  readonly recorded: boolean;
}

interface Part {
  readonly before: readonly string[];
  readonly ended?: readonly string[];
  readonly recorded?: true;
  act(stage: Stage, session_uuid: string): Promise<unknown>;
}

const long = (stage: Stage) => [stage.files.tone(60_000)];

const answer: Part = {
  before: opening.slice(1),
  act: (stage, session_uuid) => stage.done(session_uuid, "answer", { command_uid: "take" }),
};
const playing: Part = {
  before: ["playback.started hello", "command.result playback/start hello done"],
  ended: ["playback.stopped hello hangup"],
  act: (stage, session_uuid) => stage.done(session_uuid, "playback/start", { command_uid: "hello", urls: long(stage) }),
};
const paused: Part = {
  before: ["command.result playback/pause hold done"],
  act: (stage, session_uuid) => stage.done(session_uuid, "playback/pause", { command_uid: "hold" }),
};
const collecting: Part = {
  before: ["command.result play_and_get_digits pin done"],
  ended: ["digits.collected pin unknown"],
  act: (stage, session_uuid) =>
    stage.done(session_uuid, "play_and_get_digits", { command_uid: "pin", prompt_files: long(stage) }),
};
const recording: Part = {
  before: ["command.result record/start tape done"],
  recorded: true,
  act: (stage, session_uuid) => stage.done(session_uuid, "record/start", { command_uid: "tape" }),
};
const inRoom: Part = {
  before: ["conference.member.joined", "command.result conference/join in done"],
  ended: ["conference.member.left *"],
  act: async (stage, session_uuid) => {
    await stage.join(session_uuid, await stage.room(`of-${session_uuid.slice(-12)}`), "in");
  },
};
/** Its second file never comes. */
const pending: Part = {
  before: ["playback.file_not_found hello not_found"],
  ended: ["command.result playback/start hello failed: Session ended"],
  act: async (stage, session_uuid) => {
    const held = stage.files.tone(100, `held-${session_uuid}`);
    stage.files.hold(held);
    const urls = [stage.files.missing(), held];
    await stage.taken(session_uuid, "playback/start", { command_uid: "hello", urls });
    await stage.receiver.event("playback.file_not_found", session_uuid);
  },
};

/** The order in which they end, whatever began first. */
const order = ["playback.stopped", "digits.collected", "conference.member.left", "command.result"];
const place = (line: string): number => order.findIndex((event) => line.startsWith(`${event} `));

function moment(name: string, ...parts: Part[]): Moment {
  return {
    name,
    answered: parts.includes(answer),
    before: ["call.new", ...parts.flatMap(({ before }) => before)],
    ended: parts.flatMap(({ ended = [] }) => ended).sort((a, b) => place(a) - place(b)),
    recorded: parts.some(({ recorded }) => recorded),
    reach: async (stage, session_uuid) => {
      for (const { act } of parts) await act(stage, session_uuid);
    },
  };
}

export const moments: readonly Moment[] = [
  moment("ringing"),
  moment("early, while it plays", playing),
  moment("early, while it collects", collecting),
  moment("early, with a command pending", pending),
  moment("answered", answer),
  moment("playing", answer, playing),
  moment("paused", answer, playing, paused),
  moment("collecting", answer, collecting),
  moment("recording", answer, recording),
  moment("in a room", answer, inRoom),
  moment("with a command pending", answer, pending),
  moment("recording and playing in a room", answer, recording, inRoom, playing),
  moment("collecting in a room", answer, inRoom, collecting),
  moment("recording in a room with a command pending", answer, recording, inRoom, pending),
];
