/** `voicegate listen`: the app's events on this machine, as webhooks, without an address that the gateway could reach. */
import { setTimeout as delay } from "node:timers/promises";
import { EventStreamError, type WebhookEvent } from "../client/index";
import { newSecret, sign } from "../webhooks/signature";
import { type Command, type Given, text, WrongUse } from "./command";
import { appOptions, connect, refused } from "./connection";
import { eventLine } from "./event_line";
import { eventDocument } from "./events";
import { paint } from "./output";
import { type Answered, post } from "./post";

/** Events that are on their way or wait for those before them; more stay at the gateway. */
const underWay = 100;
/** How soon a gateway that stays away is asked again, in ms. */
const againMs = 5000;

export const listen: Command = {
  name: "listen",
  summary: "forward the app's events as signed webhooks to a port of this machine",
  usage: "voicegate listen --forward-to <url> [options]",
  options: {
    ...appOptions,
    "forward-to": { type: "string", value: "url", about: "where each event is posted" },
    secret: {
      type: "string",
      env: "WEBHOOK_SECRET",
      value: "whsec_…",
      about: "what signs them; made up and printed without it",
    },
    session: { type: "string", value: "uuid", about: "only events of this call" },
    since: { type: "string", value: "webhook-id", about: "begins behind this event, as far as it is kept" },
  },
  positionals: [],
  example: "voicegate listen --forward-to http://127.0.0.1:3000/webhooks",
  about: () =>
    "Events of a call are posted one after the other, those of several calls side by side. Each is posted once: what the\n" +
    "receiver answers is shown and settles nothing. The app's own webhooks go on as they do.",
  async run(given) {
    const connection = connect(given, "app");
    const { output, signal } = given;
    const to = receiverUrl(text(given, "forward-to"), "--forward-to");
    const made = text(given, "secret") === undefined;
    const secret = text(given, "secret") ?? newSecret();
    if (output.json) output.print(JSON.stringify({ forward_to: to, ...(made && { secret }) }));
    else if (made) output.print(`Signed with ${secret} (give your receiver this secret)`);
    const forwarding = new Forwarding(given, to, secret);
    let lastEventId = text(given, "since");
    while (!signal.aborted) {
      const session_uuid = text(given, "session");
      const place = {
        ...(session_uuid !== undefined && { session_uuid }),
        ...(lastEventId !== undefined && { lastEventId }),
      };
      try {
        for await (const event of connection.client.events({ ...place, signal })) {
          lastEventId = event.webhookId;
          await forwarding.take(event);
        }
      } catch (error) {
        if (signal.aborted) break;
        if (!(error instanceof EventStreamError)) throw error;
        const { failure } = error;
        if (failure.status !== null && failure.status !== 429 && failure.status < 500)
          return refused(failure, connection.url, output);
        output.progress(`The gateway stays away (${failure.message}): trying again.`);
        await delay(againMs, null, { signal }).catch(() => {
          // Aborted: the loop ends.
        });
      }
    }
    await forwarding.settled();
    return 0;
  },
};

/** @throws WrongUse when it is no http URL */
export function receiverUrl(url: string | undefined, option: string): string {
  if (url === undefined) throw new WrongUse(`where to? ${option} <url>`);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new WrongUse(`${option} must be an http or https URL: ${JSON.stringify(url)}`);
  return url;
}

/** Posts each event when those of its call before it were answered. */
class Forwarding {
  /** By session or room: the end of its line. */
  readonly #lines = new Map<string, Promise<void>>();
  #waiting = 0;
  #room: () => void = () => undefined;

  constructor(
    private readonly given: Given,
    private readonly to: string,
    private readonly secret: string,
  ) {}

  /** Resolves when there is room for another one. */
  async take(event: WebhookEvent): Promise<void> {
    this.#waiting++;
    const line = (this.#lines.get(event.source) ?? Promise.resolve()).then(() => this.#forward(event));
    this.#lines.set(event.source, line);
    void line.then(() => {
      this.#waiting--;
      if (this.#lines.get(event.source) === line) this.#lines.delete(event.source);
      this.#room();
    });
    while (this.#waiting >= underWay)
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
  }

  /** All that was taken has been answered. */
  async settled(): Promise<void> {
    await Promise.all(this.#lines.values());
  }

  async #forward(event: WebhookEvent): Promise<void> {
    const { known: _known, source: _source, webhookId, ...body } = event;
    const answered = await post(this.to, webhookId, JSON.stringify(body), (id, at, text) =>
      sign([this.secret], id, at, text),
    );
    const { output } = this.given;
    if (output.json) output.print(JSON.stringify({ ...eventDocument(event), forwarded: answered }));
    else output.print(`${eventLine(event, output.colours)}  ${shownAnswer(answered, output.colours)}`);
  }
}

/** `→ 204 in 12 ms` */
export function shownAnswer({ status, ms, error }: Answered, colours: boolean): string {
  const good = status !== null && status >= 200 && status < 300;
  const what = status === null ? (error ?? "no answer") : String(status);
  return paint(colours, good ? "green" : "red", `→ ${what} in ${ms} ms`);
}
