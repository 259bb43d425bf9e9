/** generated/operations → what the gateway does for each request: built once, at the start. */
import { operations, pseudoOperations } from "../../generated/operations";
import type { Admitted, AnyFailure, Handlers, OperationId } from "../contract";
import type { App, Session } from "../store/store";
import { Bodies, type JsonObject } from "./body";
import { type Document, readDocument } from "./document";
import { fault, json_type } from "./envelope";
import { Paths } from "./paths";
import { compileValidations, type Validation } from "./validation";

/** What a handler is called with. The document gives it the types of `Call`; the checks have made them true. */
export class RequestCall {
  constructor(
    readonly operationId: string,
    readonly params: JsonObject,
    readonly query: JsonObject,
    readonly body: JsonObject | undefined,
    readonly app?: App,
    readonly session?: Session,
    readonly admitted?: Admitted,
  ) {}

  /** Makes what a handler throws. */
  error(failure: AnyFailure, detail?: unknown): Error {
    return fault(failure, detail);
  }
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface RouteCommand {
  /** As in `command.result`. */
  readonly name: string;
  readonly timeout_ms: number;
  readonly cooldown: { readonly group: string; readonly ms: number } | null;
}

export interface Route {
  readonly id: OperationId | "commands.unknown";
  readonly auth: "app" | "admin" | "none";
  /** Names a session in its path. */
  readonly session: boolean;
  /** Answered also when shut down or overloaded. */
  readonly always: boolean;
  readonly command: RouteCommand | null;
  /** Reads bodies up to the limit of the operation; null: none is looked at. */
  readonly bodies: Bodies | null;
  /** The operation has a body; else one that comes is ignored, except for its size. */
  readonly readsBody: boolean;
  /** Null for a command that nobody knows. */
  readonly validation: Validation | null;
  /** `Content-Type` of its success. */
  readonly type: string;
  run(call: RequestCall): Answer | Promise<Answer>;
}

/** Why a command that nobody knows never gets this far: its check ends with a failure. */
const nobody = () => {
  throw new Error("an unknown command has no handler");
};

/** `Content-Type` of what an operation answers when all is well. */
function successType(document: Document, id: OperationId): string {
  const { path, method, success } = operations[id];
  const [type] = Object.keys(document.paths[path]?.[method.toLowerCase()]?.responses[success]?.content ?? {});
  if (type === undefined) throw new Error(`${id} declares no content`);
  return type === "application/json" ? json_type : type;
}

/**
 * @param commandTimeoutMs for the commands whose time-out the document leaves to the configuration
 */
export async function buildRoutes(handlers: Handlers<App, Session>, commandTimeoutMs: number): Promise<Paths<Route>> {
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
    const { auth, session, always, body, command, method, path } = operations[id];
    paths.add(path, method, {
      id,
      auth,
      session,
      always,
      command: command && {
        name: command.name,
        timeout_ms: command.timeout_ms === "COMMAND_TIMEOUT_MS" ? commandTimeoutMs : command.timeout_ms,
        cooldown: command.cooldown,
      },
      bodies: bodiesOf(body.limit),
      readsBody: body.mode === "required" || body.mode === "optional",
      validation,
      type: successType(document, id),
      run: handlers[id] as unknown as Route["run"],
    });
  }
  const unknown = pseudoOperations["commands.unknown"];
  const { auth, session, always, body, command } = unknown;
  paths.add(
    unknown.path,
    unknown.method,
    {
      id: "commands.unknown",
      auth,
      session,
      always,
      command,
      bodies: bodiesOf(body.limit),
      readsBody: false,
      validation: null,
      type: json_type,
      run: nobody,
    },
    true,
  );
  return paths;
}
