/** generated/operations → what the gateway does for each request: built once, at the start. */
import type { IncomingHttpHeaders } from "node:http";
import { operations, pseudoOperations } from "../../generated/operations";
import type { Admitted, AnyFailure, CommandId, Handlers, OperationId, RoomCommandId } from "../contract";
import type { Admission, App, Guard, Loaded, Room, Session } from "../store/store";
import { Bodies, type JsonObject } from "./body";
import { type Document, readDocument } from "./document";
import { fault, json_type } from "./envelope";
import { guardsOf } from "./guards";
import { Paths } from "./paths";
import { compileValidations, type Validation } from "./validation";

/** What a handler is called with. The document gives it the types of `Call`; the checks have made them true. */
export class RequestCall {
  readonly operationId: string;
  readonly app: App | undefined;
  readonly session: Loaded<Session> | undefined;
  readonly room: Loaded<Room> | undefined;
  #names: readonly string[];
  #fields: IncomingHttpHeaders;

  constructor(
    route: Route,
    fields: IncomingHttpHeaders,
    readonly params: JsonObject,
    readonly query: JsonObject,
    readonly body: JsonObject | undefined,
    admission: Extract<Admission, { outcome: "admitted" }> | null = null,
    readonly admitted?: Admitted,
  ) {
    this.operationId = route.id;
    this.app = admission?.app;
    this.session = admission?.session ?? undefined;
    this.room = admission?.room ?? undefined;
    this.#names = route.headers;
    this.#fields = fields;
  }

  /** Declared fields of the header, as they came; one that came twice is joined by commas, as HTTP has it. */
  get headers(): Readonly<Record<string, string>> {
    const given: Record<string, string> = {};
    for (const name of this.#names) {
      const value = this.#fields[name.toLowerCase()];
      if (value !== undefined) given[name] = String(value);
    }
    return given;
  }

  /** Makes what a handler throws. */
  error(failure: AnyFailure, detail?: unknown): Error {
    return fault(failure, detail);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface RouteCommand {
  readonly id: CommandId | RoomCommandId;
  /** As in `command.result`. */
  readonly name: string;
  readonly timeout_ms: number;
  readonly cooldown: { readonly group: string; readonly ms: number } | null;
}

export interface Route {
  readonly id: OperationId | "commands.unknown";
  readonly auth: "app" | "admin" | "none";
  /** Where it names a session: `uuid` in the path, `session_uuid` in the body. */
  readonly session: "path" | "body" | null;
  /** `room_id`, wherever it stands. */
  readonly room: "path" | "body" | null;
  /** Also for a session or room that has ended. */
  readonly ended: boolean;
  /** Answered also when shut down or overloaded. */
  readonly always: boolean;
  readonly command: RouteCommand | null;
  /** What must be so before the command, for this body. */
  guards(body: JsonObject): readonly Guard[];
  /** Reads bodies up to the limit of the operation; null: none is looked at. */
  readonly bodies: Bodies | null;
  /** `lenient`: only one that is JSON; `ignored`: its size counts, else nothing. */
  readonly reads: "json" | "lenient" | "ignored";
  /** Null for a command that nobody knows. */
  readonly validation: Validation | null;
  /** Declared fields of the header. */
  readonly headers: readonly string[];
  /** `Content-Type` of each success; null: it has no content. */
  readonly types: ReadonlyMap<number, string | null>;
  run(call: RequestCall): Answer | Promise<Answer>;
}

/** Why a command that nobody knows never gets this far: its check ends with a failure. */
const nobody = () => {
  throw new Error("an unknown command has no handler");
};

/** `Content-Type` of what an operation answers when all is well, by status. */
function successTypes(document: Document, id: OperationId): Map<number, string | null> {
  const { path, method } = operations[id];
  const types = new Map<number, string | null>();
  for (const [status, { content = {} }] of Object.entries(
    document.paths[path]?.[method.toLowerCase()]?.responses ?? {},
  )) {
    if (Number(status) >= 300) continue;
    const [type = null] = Object.keys(content);
    types.set(Number(status), type === "application/json" ? json_type : type);
  }
  return types;
}

function isCommand(id: OperationId): id is CommandId | RoomCommandId {
  return operations[id].command !== null;
}

function commandOf(id: OperationId, commandTimeoutMs: number): RouteCommand | null {
  if (!isCommand(id)) return null;
  const { name, timeout_ms, cooldown } = operations[id].command;
  return { id, name, timeout_ms: timeout_ms === "COMMAND_TIMEOUT_MS" ? commandTimeoutMs : timeout_ms, cooldown };
}

function reads(mode: "required" | "optional" | "lenient" | "ignored" | "none"): Route["reads"] {
  if (mode === "required" || mode === "optional") return "json";
  return mode === "lenient" ? "lenient" : "ignored";
}

/**
 * @param commandTimeoutMs for the commands whose time-out the document leaves to the configuration
 */
export async function buildRoutes(
  handlers: Handlers<App, Loaded<Session>, Loaded<Room>>,
  commandTimeoutMs: number,
): Promise<Paths<Route>> {
  const paths = new Paths<Route>();
  const document = readDocument();
  const validations = await compileValidations();
  const readers = new Map<number, Bodies>();
  const bodiesOf = (limit: number | null): Bodies | null => {
    if (limit === null) return null;
    const bodies = readers.get(limit) ?? new Bodies(limit);
    readers.set(limit, bodies);
    return bodies;
  };
  for (const [id, validation] of validations) {
    const { auth, session, room, ended, always, body, guards, method, path } = operations[id];
    paths.add(path, method, {
      id,
      auth,
      session,
      room,
      ended,
      always,
      command: commandOf(id, commandTimeoutMs),
      guards: guardsOf(guards),
      bodies: bodiesOf(body.limit),
      reads: reads(body.mode),
      validation,
      headers: validation.headers,
      types: successTypes(document, id),
      run: handlers[id] as unknown as Route["run"],
    });
  }
  const unknown = pseudoOperations["commands.unknown"];
  const { auth, session, room, ended, always, body, command, guards } = unknown;
  paths.add(
    unknown.path,
    unknown.method,
    {
      id: "commands.unknown",
      auth,
      session,
      room,
      ended,
      always,
      command,
      guards: guardsOf(guards),
      bodies: bodiesOf(body.limit),
      reads: reads(body.mode),
      validation: null,
      headers: [],
      types: new Map(),
      run: nobody,
    },
    true,
  );
  return paths;
}
