/**
 * What each operation takes and answers, computed from what is generated out of openapi/: nothing here lists an
 * operation, a field or an error by hand.
 */
import type { CommandId, ErrorCode, OperationId, operations, RoomCommandId } from "../../generated/operations";
import type { operations as documented } from "../../generated/types";

type Policies = typeof operations;
type Success = 200 | 201 | 202 | 204 | 206;
type Responses<O extends OperationId> = documented[O]["responses"];
type Content<R> = R extends { readonly content: infer C } ? C[keyof C] : never;
type Place<O extends OperationId, P extends "path" | "query" | "header"> = NonNullable<documented[O]["parameters"][P]>;
type Flat<T> = { readonly [K in keyof T]: T[K] };
type None = Record<never, never>;
type OrNone<T> = [T] extends [never] ? None : T;

/** Of the fields `T`, those without which the gateway refuses a request are required; the document has the rest's defaults. */
type Given<T, Fields> = [T] extends [never]
  ? None
  : { readonly [K in keyof T as K extends RequiredOf<Fields> ? K : never]: T[K] } & {
      readonly [K in keyof T as K extends RequiredOf<Fields> ? never : K]?: T[K];
    };
type RequiredOf<Fields> = {
  [K in keyof Fields]: Fields[K] extends { readonly required: string } ? K : never;
}[keyof Fields];

/** The JSON body that an operation reads; never for one without. Fields that have a default may be left out. */
export type BodyOf<O extends OperationId> =
  NonNullable<documented[O]["requestBody"]> extends { readonly content: { readonly "application/json": infer B } }
    ? [NonNullable<documented[O]["requestBody"]>] extends [never]
      ? never
      : Flat<Given<B, Policies[O]["fields"]["body"]>>
    : never;

type WithBody<O extends OperationId> = [BodyOf<O>] extends [never]
  ? None
  : Policies[O]["body"]["mode"] extends "required"
    ? { readonly body: BodyOf<O> }
    : { readonly body?: BodyOf<O> };

/** Parameters of the query, none of which the gateway asks for. */
export type QueryOf<O extends OperationId> = Flat<Partial<OrNone<Place<O, "query">>>>;
/** Parameters of the path. */
export type PathOf<O extends OperationId> = OrNone<Place<O, "path">>;
/** Header fields that the document declares for the operation, such as `Range`. */
export type HeadersOf<O extends OperationId> = Flat<Partial<OrNone<Place<O, "header">>>>;

/** What a call is given: parameters of path and query side by side, and the body. */
export type Input<O extends OperationId> = Flat<PathOf<O> & QueryOf<O> & WithBody<O>>;

/** As `openapi-fetch` takes it: parameters by their place. */
export type Init<O extends OperationId> = Flat<
  (None extends PathOf<O>
    ? { readonly params?: { readonly query?: QueryOf<O>; readonly header?: HeadersOf<O> } }
    : { readonly params: { readonly path: PathOf<O>; readonly query?: QueryOf<O>; readonly header?: HeadersOf<O> } }) &
    WithBody<O>
>;

/** Bytes come as a stream, whatever their length; JSON is parsed, plain text a string, and an answer without a body undefined. */
type Came<T> = [T] extends [never]
  ? undefined
  : T extends AsyncIterable<unknown> | Uint8Array
    ? ReadableStream<Uint8Array>
    : T;

/** What a call that went well answers. */
export type Data<O extends OperationId> = {
  [S in keyof Responses<O> & Success]: Came<Content<Responses<O>[S]>>;
}[keyof Responses<O> & Success];

/** One error of the catalogue, as it was answered. Its cause and what to do is under its code in `/errors.json`. */
export interface DeclaredFailure<S extends number = number, C extends string = ErrorCode, M = string, D = unknown> {
  readonly status: S;
  readonly code: C;
  /** The text of the catalogue: one code is one message. */
  readonly message: M;
  readonly detail: D;
  /** `X-Request-ID`, by which the gateway's log names the request. */
  readonly requestId: string | null;
  /** Seconds, of `Retry-After`. */
  readonly retryAfter: number | null;
}

/**
 * No answer: no connection, one that broke, or none in time. Whether the gateway has seen the request is not known;
 * `cause` is what `fetch` threw, or the time-out.
 */
export interface Unreachable {
  readonly status: null;
  readonly code: "unreachable";
  readonly message: string;
  readonly detail: undefined;
  readonly requestId: null;
  readonly retryAfter: null;
  readonly cause: unknown;
}

/** An answer that the document does not declare for the operation: of a proxy, of another server, of a newer gateway. */
export interface UnexpectedAnswer {
  readonly status: number;
  readonly code: "unexpected_answer";
  readonly message: string;
  readonly detail: undefined;
  readonly requestId: string | null;
  readonly retryAfter: number | null;
  /** How its body begins. */
  readonly body: string;
}

type Declared<S extends number, B> = B extends { readonly error: infer M; readonly code: infer C extends string }
  ? DeclaredFailure<S, C, M, B extends { readonly detail: infer D } ? D : undefined>
  : never;

/**
 * Every way in which a call of the operation can fail, told apart by `code`: what the document declares for it, and the
 * two that no document can. For several operations: any of theirs.
 */
export type Failure<O extends OperationId = OperationId> =
  | (O extends OperationId
      ? { [S in Exclude<keyof Responses<O>, Success> & number]: Declared<S, Content<Responses<O>[S]>> }[Exclude<
          keyof Responses<O>,
          Success
        > &
          number]
      : never)
  | Unreachable
  | UnexpectedAnswer;

/** What commands have beside their answer: the uid that the client has sent, as events carry it. */
type Uid<O extends OperationId> = O extends CommandId | RoomCommandId ? { readonly commandUid: string } : unknown;

/** `data` or `error`, never both: `if (error) …` tells. */
export type Outcome<O extends OperationId> = Uid<O> &
  (
    | {
        readonly data: Data<O>;
        readonly error?: undefined;
        readonly status: number;
        /** Of the answer, such as `ETag` and `Idempotent-Replayed`. */
        readonly headers: Headers;
      }
    | { readonly data?: undefined; readonly error: Failure<O> }
  );

/** The operation of a method and a path. */
export type OperationAt<M extends string, P extends string> = {
  [O in OperationId]: Policies[O] extends { readonly method: M; readonly path: P } ? O : never;
}[OperationId];

/** Paths of the document that have the method. */
export type PathWith<M extends string> = Extract<Policies[OperationId], { readonly method: M }>["path"];
