/** Events wherever a gateway tells them: by webhook, in lists, in streams, among dead letters. All of them tell the same. */
import { type Delivery, type Event, eventIn, type Receipt, taken } from "./delivery";
import type { Frame, Hooks, Place } from "./fault";
import {
  type HttpAnswer,
  type HttpRequest,
  isObject,
  type Json,
  jsonOf,
  listIn,
  pathOf,
  withField,
  withJson,
} from "./message";

export type { Event };

/** What is told in place of an event; `undefined`: itself. */
export type Change = (event: Event, json: Json) => Json | readonly Json[] | undefined;

/** What became of the events of one session or room, by the numbers that the gateway gave them. */
class Told {
  readonly #by = new Map<number, readonly Json[]>();

  get(sequence: number): readonly Json[] | undefined {
    return this.#by.get(sequence);
  }

  set(sequence: number, told: readonly Json[]): void {
    this.#by.set(sequence, told);
  }

  /** The number that the first event told in place of this one has. */
  first(sequence: number): number {
    let more = 0;
    for (const [each, told] of this.#by) if (each < sequence) more += told.length - 1;
    return sequence + more;
  }
}

/** A change that numbers the events again after those that it added or left out. */
class Telling {
  readonly #sources = new Map<string, Told>();

  constructor(
    private readonly place: Place,
    private readonly change: Change,
  ) {}

  /** @returns null for what is no event */
  told(json: unknown): readonly Json[] | null {
    const event = eventIn(json);
    if (!event || !isObject(json)) return null;
    const source = this.#sources.get(event.source) ?? new Told();
    this.#sources.set(event.source, source);
    let told = source.get(event.sequence);
    if (!told) {
      const other = this.change(event, json);
      if (other !== undefined) this.place.strike();
      told = other === undefined ? [json] : isObject(other) ? [other] : listed(other);
      source.set(event.sequence, told);
    }
    const first = source.first(event.sequence);
    return told.map((each, i) => {
      // A change may give a number of its own.
      const own = each.sequence === event.sequence ? first + i : each.sequence;
      return own === each.sequence ? each : { ...each, sequence: own };
    });
  }
}

function listed(value: Json | readonly Json[]): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Hooks that tell events otherwise, everywhere. */
export function shown(place: Place, change: Change): Hooks {
  const telling = new Telling(place, change);
  return {
    wants: ({ method, target }) => {
      return (
        method === "GET" &&
        /^\/api\/v1\/(?:sessions|conferences)\/[^/]+\/events$|\/dead-letters$/.test(pathOf({ target }))
      );
    },
    exchange: async (request, next) => inLists(request, await next(request), place, telling),
    delivery: (delivery, deliver) => delivered(delivery, deliver, place, telling),
    frame: (frame) => inStream(frame, telling),
  };
}

async function delivered(
  delivery: Delivery,
  deliver: (delivery: Delivery) => Promise<Receipt>,
  place: Place,
  telling: Telling,
): Promise<Receipt> {
  const json = jsonOf(delivery);
  const told = telling.told(json);
  if (!told || (told.length === 1 && told[0] === json)) return deliver(delivery);
  let receipt = taken;
  for (const [i, each] of told.entries()) {
    const renamed = i === 0 ? delivery : withField(delivery, "webhook-id", `${idOf(delivery)}.${i}`);
    receipt = await deliver(place.resigned(renamed, Buffer.from(JSON.stringify(each))));
    if (receipt.status >= 300) return receipt;
  }
  return receipt;
}

function idOf({ fields }: Delivery): string {
  return fields.find(([name]) => name.toLowerCase() === "webhook-id")?.[1] ?? "";
}

/** Pages are made anew from all events, so that `after` and `limit` count what is told. */
async function inLists(request: HttpRequest, answer: HttpAnswer, place: Place, telling: Telling): Promise<HttpAnswer> {
  const json = jsonOf(answer);
  if (answer.status !== 200 || !json) return answer;
  if (Array.isArray(json.dead_letters)) {
    const told = listIn(json, "dead_letters").flatMap((letter) => {
      return (telling.told(letter.body) ?? []).map((body) => ({ ...letter, body, sequence: body.sequence }));
    });
    return withJson(answer, { ...json, dead_letters: told });
  }
  const url = new URL(request.target, "http://gateway");
  const ofRoom = url.pathname.startsWith("/api/v1/conferences/");
  const whole = ofRoom ? answer : await place.ask({ ...request, target: `${url.pathname}?limit=1000` });
  const told = listIn(jsonOf(whole), "events").flatMap((event) => telling.told(event) ?? []);
  // The cursor of a room's list is its own: nobody can tell from it what is missing.
  if (ofRoom) return withJson(answer, { ...json, events: told });
  const after = Number(url.searchParams.get("after") ?? 0);
  const limit = Number(url.searchParams.get("limit") ?? 100);
  const page = told.filter(({ sequence }) => Number(sequence) > after).slice(0, limit);
  return withJson(answer, { events: page, next_after: page.at(-1)?.sequence ?? after });
}

function inStream(frame: Frame, telling: Telling): readonly Frame[] {
  const lines = frame.split("\n");
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
  if (data.length === 0) return [frame];
  const json: unknown = JSON.parse(Buffer.from(data.join("\n"), "latin1").toString("utf8"));
  const told = telling.told(json);
  if (!told || (told.length === 1 && told[0] === json)) return [frame];
  const id =
    lines
      .find((line) => line.startsWith("id:"))
      ?.slice(3)
      .trim() ?? "";
  return told.map((each, i) => {
    const text = Buffer.from(JSON.stringify(each)).toString("latin1");
    return `id: ${i === 0 ? id : `${id}.${i}`}\nevent: ${String(each.event)}\ndata: ${text}`;
  });
}
