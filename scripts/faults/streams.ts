/** Faults of the stream of events, and of what a gateway says of itself. */
import type { Fault, Frame } from "./fault";
import { field, type HttpAnswer, type HttpRequest, isObject, jsonOf, listIn, withBody, withField } from "./message";
import { answers, changed, codeOf, is, type OperationId, requests, withQuery } from "./strokes";

const stream = "contract §7, stream";

const ok = (answer: HttpAnswer, request: HttpRequest, ...ids: readonly OperationId[]) =>
  is(request, ...ids) && answer.status === 200 ? jsonOf(answer) : null;

/** A stream tells otherwise. */
function frames(name: string, about: string, change: (frame: Frame, n: number) => readonly Frame[] | undefined): Fault {
  return {
    name: `streams/${name}`,
    about,
    clause: stream,
    start: (place) => {
      let n = 0;
      return {
        frame: (frame) => {
          if (!/^data:/m.test(frame)) return [frame];
          const other = change(frame, ++n);
          if (other) place.strike();
          return other ?? [frame];
        },
      };
    },
  };
}

export const streams: readonly Fault[] = [
  frames("no-ids", "events have no id", (frame) => [frame.replace(/^id:.*\n/m, "")]),
  frames("no-names", "events have no name", (frame) => [frame.replace(/^event:.*\n/m, "")]),
  frames("loses-one", "every sixth event is lost", (_, n) => (n % 6 === 0 ? [] : undefined)),
  frames("doubles-one", "every sixth event comes twice", (frame, n) => (n % 6 === 0 ? [frame, frame] : undefined)),
  frames("data-only", "only the data of an event is told", (frame) => [
    frame.replace(/^data:.*$/m, (line) => {
      const json: unknown = JSON.parse(line.slice(5));
      return `data: ${JSON.stringify(isObject(json) ? json.data : {})}`;
    }),
  ]),
  frames("other-ids", "ids are numbers", (frame, n) => [frame.replace(/^id:.*$/m, `id: ${n}`)]),
  requests(["streams/last-event-id-ignored", "Last-Event-ID is ignored", stream], (request) =>
    is(request, "streamEvents") && field(request, "Last-Event-ID")
      ? withField(request, "Last-Event-ID", null)
      : undefined,
  ),
  requests(["streams/filter-ignored", "session_uuid is ignored", stream], (request) =>
    is(request, "streamEvents") && request.target.includes("session_uuid=")
      ? withQuery(request, "session_uuid", null)
      : undefined,
  ),
  answers(["streams/type", "the stream is text/plain", stream], (answer, request) =>
    is(request, "streamEvents") && answer.status === 200
      ? withField(answer, "Content-Type", "text/plain; charset=utf-8")
      : undefined,
  ),
  answers(["streams/cached", "the stream may be stored", stream], (answer, request) =>
    is(request, "streamEvents") && answer.status === 200 ? withField(answer, "Cache-Control", "max-age=60") : undefined,
  ),
  answers(["streams/eleventh", "an eleventh stream is a conflict", "error too_many_streams"], (answer) =>
    codeOf(answer) === "too_many_streams" ? { ...answer, status: 409 } : undefined,
  ),
];

export const meta: readonly Fault[] = [
  answers(["meta/openapi-version", "the document has another version", "operation getOpenapi"], (answer, request) => {
    const json = ok(answer, request, "getOpenapi");
    return json ? changed(answer, { info: { title: "Voicegate", version: "0.0.9" } }) : undefined;
  }),
  answers(
    ["meta/openapi-limit", "the document says that playbacks take 64 urls", "operation getOpenapi"],
    (answer, request) => {
      const text = answer.body.toString("utf8");
      return ok(answer, request, "getOpenapi")
        ? withBody(answer, text.replace(/"maxItems":\s*128/, '"maxItems":64'))
        : undefined;
    },
  ),
  answers(["meta/errors-one-less", "the catalogue lacks an error", "operation getErrors"], (answer, request) => {
    const json = ok(answer, request, "getErrors");
    return json ? changed(answer, { errors: listIn(json, "errors").slice(1) }) : undefined;
  }),
  answers(["meta/errors-text", "one text of the catalogue is another", "operation getErrors"], (answer, request) => {
    const json = ok(answer, request, "getErrors");
    const errors = listIn(json, "errors").map((each) =>
      each.code === "not_found" ? { ...each, error: "Nothing here" } : each,
    );
    return json ? changed(answer, { errors }) : undefined;
  }),
  answers(["meta/health-leaks", "health tells the version of Node", "operation getHealth"], (answer, request) =>
    ok(answer, request, "getHealth") ? changed(answer, { node_version: process.version }) : undefined,
  ),
  answers(["meta/health-no-nodes", "health knows no nodes", "operation getHealth"], (answer, request) =>
    ok(answer, request, "getHealth") ? changed(answer, { nodes: [] }) : undefined,
  ),
  answers(["meta/health-status", "health says up", "operation getHealth"], (answer, request) =>
    ok(answer, request, "getHealth") ? changed(answer, { status: "up" }) : undefined,
  ),
  answers(["meta/tone-short", "the tone lasts half as long", "operation getSampleTone"], (answer, request) =>
    is(request, "getSampleTone") && answer.status === 200 && answer.body.length > 44
      ? withBody(answer, answer.body.subarray(0, answer.body.length >> 1))
      : undefined,
  ),
  answers(["meta/metrics-empty", "there are no metrics", "operation getMetrics"], (answer, request) =>
    is(request, "getMetrics") && answer.status === 200 && request.method === "GET" ? withBody(answer, "") : undefined,
  ),
];
