/** What holds for webhooks, whatever caused them: each law by its name, and how a breach is told. */

/** The laws that are watched over every delivery, each with its title and the clause of the contract. */
export const laws = {
  signature: [
    "Every webhook is signed with the app's secret, and with each old one that still holds",
    "webhooks: signed",
  ],
  fresh: [
    "A webhook is signed when it is sent: its timestamp is the time of this attempt, in seconds",
    "webhooks: signed",
  ],
  request: ["A webhook is a POST of JSON to the app's URL, and nothing else is asked there", "webhooks"],
  schema: ["Every webhook is what the document says, without a field more", "openapi: webhooks"],
  owner: ["An app gets its own events alone", "webhooks: app_id"],
  wanted: ["An app gets only the events that it asked for", "putApp: events"],
  identity: ["An event has one id, one number and one body, whenever it comes", "webhooks: at least once"],
  repeats: ["What was taken is not sent again", "webhooks: attempts"],
  order: ["No event is sent for the first time before all that come before it were taken", "webhooks: order"],
  sequence: ["The numbers of a call or a room begin at 1 and have no gap", "webhooks: sequence"],
  prompt: ["An event is sent within seconds of what it tells of", "webhooks"],
  clock: ["Along the numbers of a call or a room time does not go back", "webhooks: timestamp"],
  subject: ["An event tells of the call or the room in whose sequence it stands", "webhooks: session_uuid, room_id"],
  call: ["A call begins with call.new, is answered once at most, and ends with call.hangup", "webhooks: end of a call"],
  ended: ["What goes on in a call is told to be over before its call.hangup", "webhooks: end of a call"],
  playback: [
    "What plays has started once and stops once, and the one ends before the next begins",
    "playback.started, playback.stopped",
  ],
  digits: ["Each collection that began ends with one digits.collected", "digits.collected"],
  member: ["A call joins a room before it leaves it, and is muted and unmuted in turn", "conference.member.*"],
  room: [
    "A room begins with conference.created and ends with conference.destroyed",
    "conference.created, conference.destroyed",
  ],
  cause: ["An event that names a command is one that this command can cause", "openapi: x-emits"],
  effect: ["A command that succeeded has the event that tells what it did", "command.result"],
  once: ["A command has one result at most", "command.result"],
} as const satisfies Record<string, readonly [title: string, clause: string]>;

export type Law = keyof typeof laws;

/** Tells that a law was broken, and how. */
export type Breach = (law: Law, got: string) => void;
