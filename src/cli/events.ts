/** `voicegate events tail`: what a call or a room was told of, and what it is told of now. */
import type { WebhookEvent } from "../client/index";
import { type Command, type Given, is, text } from "./command";
import { appOptions, type Connection, connect, refused } from "./connection";
import { eventLine, type Shown } from "./event_line";
import { eventName, eventNames } from "./event_name";
import { follow, isRoom, refusalOf } from "./follow";

/** What the client knows beside the body of a webhook stays out of a program's lines, but for the id. */
export function eventDocument({ known: _known, source: _source, webhookId, ...body }: WebhookEvent): object {
  return { ...body, webhook_id: webhookId };
}

export const eventsTail: Command = {
  name: "events tail",
  summary: "show the events of a call or a room: those that were, and those that come",
  usage: "voicegate events tail <session> [options]",
  options: {
    ...appOptions,
    once: { type: "boolean", about: "only those that were" },
    until: {
      type: "string",
      value: "event",
      about: "ends with the first event of this name, such as call.hangup",
      choices: eventNames,
    },
  },
  positionals: [{ name: "session", about: "the uuid of a call, or the id of a room" }],
  example: "voicegate events tail acW68-f47ac10b-58cc-4372-a567-0e02b2c3d479 --until call.hangup",
  async run(given) {
    const connection = connect(given, "app");
    const [id = ""] = given.positionals;
    const past = await page(connection, given, id, 0);
    if (past.error) return refused(past.error, connection.url, given.output);
    return is(given, "once") ? all(connection, given, id) : tail(connection, given, id);
  },
};

/** A page of what was, of a call or of a room. */
function page({ client }: Connection, { signal }: Given, id: string, after: number) {
  return isRoom(id)
    ? client.listRoomEvents({ room_id: id, after }, { signal })
    : client.listSessionEvents({ uuid: id, after }, { signal });
}

function show({ output }: Given, event: Shown, document: object): void {
  output.print(output.json ? JSON.stringify(document) : eventLine(event, output.colours));
}

async function all(connection: Connection, given: Given, id: string): Promise<number> {
  for (let after = 0; ; ) {
    const { data, error } = await page(connection, given, id, after);
    if (error) return refused(error, connection.url, given.output);
    for (const event of data.events) show(given, event, event);
    // Only an empty page is the end.
    if (data.events.length === 0) return 0;
    after = data.next_after;
  }
}

async function tail({ client, url }: Connection, given: Given, id: string): Promise<number> {
  const until = text(given, "until");
  const last = until === undefined ? null : eventName(until);
  try {
    for await (const event of follow(client, id, given.signal)) {
      show(given, event, eventDocument(event));
      if (event.event === last) return 0;
    }
    return last === null ? 0 : 1;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return refused(refusal, url, given.output);
  }
}
