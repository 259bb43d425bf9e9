/**
 * What a program that uses the client may write and, after each `@ts-expect-error`, what it may not. Nothing here runs:
 * the type check of the project refuses a directive that is not needed, and each must be needed.
 */
import type { BodyOf, Client, EventOf, Failure, Outcome, WebhookEvent } from "../../src/client";
import { createClient, verifyWebhook } from "../../src/client";

declare const client: Client;

export const createdForBoth = createClient({ baseUrl: "", appId: "a", apiKey: "k", adminApiKey: "s" });
export const forAdministration = createClient({ baseUrl: "", adminApiKey: "s", retry: false, fetch });
// @ts-expect-error an app without its key
createClient({ baseUrl: "", appId: "a" });

export async function inputs(uuid: string): Promise<void> {
  await client.listSessions();
  await client.listSessions({ limit: 10 }, { signal: AbortSignal.timeout(1000) });
  await client.hangup({ uuid });
  await client.hangup({ uuid, body: { cause: "USER_BUSY" } });
  await client.startPlayback({ uuid, body: { urls: ["https://media.example.com/a.wav"] } });
  await client.createSandboxCall({ body: { did: "100" } });
  await client.getRecording({ recording_id: "r" }, { headers: { Range: "bytes=0-99" } });
  await client.GET("/api/v1/conferences", { params: { query: { limit: 1 } } });
  await client.POST("/api/v1/sessions/{uuid}/commands/answer", { params: { path: { uuid } } });
  // @ts-expect-error a parameter of the path is missing
  await client.hangup({});
  // @ts-expect-error the call is missing
  await client.getSession();
  // @ts-expect-error a body is missing
  await client.startPlayback({ uuid });
  // @ts-expect-error a field without a default is missing
  await client.startPlayback({ uuid, body: {} });
  // @ts-expect-error a field that the operation does not have
  await client.answer({ uuid, body: { color: "red" } });
  // @ts-expect-error a cause that is none
  await client.hangup({ uuid, body: { cause: "BORED" } });
  // @ts-expect-error a body where none is read
  await client.getSession({ uuid, body: {} });
  // @ts-expect-error a header that this operation does not have
  await client.getSession({ uuid }, { headers: { Range: "bytes=0-99" } });
  // @ts-expect-error an operation that is none
  await client.transfer({ uuid });
  // @ts-expect-error a path that has another method
  await client.GET("/api/v1/sessions/{uuid}/commands/answer", { params: { path: { uuid } } });
  // @ts-expect-error a path that is none
  await client.GET("/api/v1/calls");
  // @ts-expect-error parameters of another path
  await client.GET("/api/v1/sessions/{uuid}", { params: { path: { room_id: uuid } } });
}

export async function outcomes(uuid: string): Promise<string> {
  const { data, error, commandUid } = await client.startPlayback({ uuid, body: { urls: [] } });
  const uid: string = commandUid;
  // @ts-expect-error there may be no data
  data.operation_id;
  if (!error) return data.operation_id + uid;
  switch (error.code) {
    case "command_rate_limited":
      return String(error.detail.retry_after_ms + (error.retryAfter ?? 0));
    case "unknown_field":
      return error.detail.field;
    case "session_not_found": {
      const status: 404 = error.status;
      const message: "Session not found" = error.message;
      // @ts-expect-error the field of another error
      error.detail.field;
      return `${status} ${message}`;
    }
    case "unreachable":
      return String(error.cause);
    case "unexpected_answer":
      return error.body;
    // @ts-expect-error an error that this operation does not declare
    case "room_not_found":
      return "";
    // @ts-expect-error a code that is none
    case "session_nto_found":
      return "";
    default:
      // @ts-expect-error not every error has the bytes that came
      error.body;
      return error.message;
  }
}

export async function data(uuid: string, room_id: string): Promise<void> {
  const session: "ringing" | "early" | "answered" | "handed_back" | undefined = (await client.getSession({ uuid })).data
    ?.state;
  const none: undefined = (await client.deleteRoom({ room_id })).data;
  const bytes: ReadableStream<Uint8Array> | undefined = (await client.getSampleTone()).data;
  const text: string | undefined = (await client.getMetrics()).data;
  const same: Outcome<"getSession"> = await client.GET("/api/v1/sessions/{uuid}", { params: { path: { uuid } } });
  // @ts-expect-error reading is no command
  (await client.getSession({ uuid })).commandUid;
  console.log(session, none, bytes, text, same);
}

export async function events(request: Request, uid: string): Promise<string> {
  const event: WebhookEvent = await verifyWebhook(request.headers, await request.text(), "whsec_");
  // @ts-expect-error an event that this client does not know may have anything in its data
  event.data.digit;
  // @ts-expect-error the body was parsed before
  await verifyWebhook(request.headers, await request.json().then((body: { event: string }) => body), uid);
  if (!event.known) return String(event.data.anything) + event.source;
  switch (event.event) {
    case "dtmf":
      return event.data.digit + event.session_uuid;
    case "conference.created":
      return event.data.name + event.room_id;
    case "command.result":
      return event.data.success ? event.data.command : event.data.code;
    case "call.hangup":
      // @ts-expect-error a field of another event
      event.data.digit;
      return event.data.by;
    // @ts-expect-error an event that is none
    case "call.dropped":
      return "";
    default:
      return event.webhookId;
  }
}

export const anyFailure = (failure: Failure): number | null => failure.status;
export const body: BodyOf<"playRoom"> = { urls: ["https://media.example.com/a.mp3"], volume: 0 };
// @ts-expect-error a volume that is none
export const loud: BodyOf<"playRoom"> = { urls: [], volume: "11" };
export const pressed = (event: EventOf<"dtmf">): string => event.data.digit;
