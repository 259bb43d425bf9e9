/**
 * The contract as types. Everything here is computed from what is generated out of openapi/: a handler that is missing
 * or misnamed, an answer or an error that the document does not declare for its operation does not compile.
 */
import type {
  AppOperationId,
  CommandId,
  commandFailures,
  ErrorCode,
  OperationId,
  OperationsByTag,
  PseudoOperationId,
  RoomCommandId,
  RoomOperationId,
  SessionOperationId,
} from "../generated/operations";
import type { components, operations, webhooks } from "../generated/types";

export type {
  AppOperationId,
  CommandId,
  ErrorCode,
  OperationId,
  PseudoOperationId,
  RoomCommandId,
  RoomOperationId,
  SessionOperationId,
};

/** `sessions`, `calls`, …: operations of one tag stand in one file of the document and in one of the handlers. */
export type Tag = keyof OperationsByTag;

/** Operations of the document, and those that answer for requests that belong to no path. */
export type AnyOperationId = OperationId | PseudoOperationId;

type Success = 200 | 201 | 202 | 204 | 206 | 304;
type Responses<O extends AnyOperationId> = operations[O]["responses"];
type Content<R> = R extends { content: infer C } ? C[keyof C] : never;
type Parameters<O extends OperationId, Place extends "path" | "query" | "header"> = O extends OperationId
  ? [NonNullable<operations[O]["parameters"][Place]>] extends [never]
    ? undefined
    : NonNullable<operations[O]["parameters"][Place]>
  : never;

/** The body after validation and defaults; `undefined` for operations without one. For several operations: any of theirs. */
export type Body<O extends OperationId> = O extends OperationId
  ? operations[O] extends { readonly requestBody?: { readonly content: { readonly "application/json": infer B } } }
    ? B
    : undefined
  : never;

/** Parameters of the path; `undefined` for operations without any. */
export type Params<O extends OperationId> = Parameters<O, "path">;
/** Parameters of the query, after validation and defaults; `undefined` for operations without any. */
export type Query<O extends OperationId> = Parameters<O, "query">;

/** Declared header parameters, as they came; `X-Request-ID` is one of each operation. */
export type HeaderFields<O extends OperationId> = Parameters<O, "header">;

/** What a handler answers: a declared status of success with the body and the headers that the document gives it. */
export type Reply<O extends OperationId> = O extends OperationId
  ? {
      [S in Extract<keyof Responses<O>, Success>]: {
        readonly status: S;
        readonly headers?: Readonly<Record<string, string>>;
      } & ([Content<Responses<O>[S]>] extends [never]
        ? { readonly body?: undefined }
        : { readonly body: Content<Responses<O>[S]> });
    }[Extract<keyof Responses<O>, Success>]
  : never;

type Declared<O extends AnyOperationId> = {
  [S in Exclude<keyof Responses<O>, Success> & number]: Content<Responses<O>[S]> extends {
    error: infer M extends string;
  }
    ? `${S} ${M}`
    : never;
}[Exclude<keyof Responses<O>, Success> & number];

/** "404 Session not found": what the document declares. For several operations: what all of them declare. */
export type Failure<O extends AnyOperationId> = (
  O extends AnyOperationId
    ? (failure: Declared<O>) => void
    : never
) extends (failure: infer F) => void
  ? F
  : never;

type ErrorBody = Extract<
  components["schemas"][keyof components["schemas"]],
  { readonly success: false; readonly code: string }
>;

/** Everything that any operation or no path at all declares, "404 Session not found". */
export type AnyFailure = { [O in AnyOperationId]: Declared<O> }[AnyOperationId];

/** The rest of the arguments of `error`: the declared detail, where there is one. */
export type Detail<F> = F extends `${number} ${infer M}`
  ? [WithDetail<M>] extends [never]
    ? []
    : [detail: WithDetail<M>["detail"]]
  : never;
type WithDetail<M> = Extract<ErrorBody, { readonly error: M; readonly detail: unknown }>;

/** The command as it was admitted. */
export interface Admitted {
  readonly operation_id: string;
  readonly command_uid: string;
  readonly timeout_ms: number;
}

/**
 * What a handler gets. `App`, `Session` and `Room` are what the store keeps of them; the contract does not know them.
 * `error` makes what is thrown: only what it made is answered as it is, everything else is a 500.
 */
export type Call<O extends OperationId, App = unknown, Session = unknown, Room = unknown> = {
  readonly operationId: O;
  readonly params: Params<O>;
  readonly query: Query<O>;
  readonly headers: HeaderFields<O>;
  readonly body: Body<O>;
  error<F extends Failure<O>>(failure: F, ...detail: Detail<F>): Error;
} & ([O] extends [AppOperationId] ? { readonly app: App } : unknown) &
  ([O] extends [SessionOperationId] ? { readonly session: Session } : unknown) &
  ([O] extends [RoomOperationId] ? { readonly room: Room } : unknown) &
  ([O] extends [CommandId | RoomCommandId] ? { readonly admitted: Admitted } : unknown);

export type Handler<O extends OperationId, App = unknown, Session = unknown, Room = unknown> = (
  call: Call<O, App, Session, Room>,
) => Reply<O> | Promise<Reply<O>>;

/** The handlers of one tag: each of its operations, no other. */
export type TagHandlers<T extends Tag, App = unknown, Session = unknown, Room = unknown> = {
  readonly [O in OperationsByTag[T]]: Handler<O, App, Session, Room>;
};

/** One handler for each operation of the document. */
export type Handlers<App = unknown, Session = unknown, Room = unknown> = {
  readonly [O in OperationId]: Handler<O, App, Session, Room>;
};

/** Events that the gateway sends. */
export type EventName = keyof webhooks;

type Payload<E extends EventName> = webhooks[E]["post"] extends {
  readonly requestBody: { readonly content: { readonly "application/json": infer B } };
}
  ? B
  : never;

/** The whole body of a webhook. */
export type EventBody<E extends EventName> = E extends EventName ? Payload<E> : never;
/** What is in `data` of an event. */
export type EventData<E extends EventName> = EventBody<E>["data"];
/** Texts of a `command.result` that is no success, each with its code. */
export type CommandFailureCodes = typeof commandFailures;
