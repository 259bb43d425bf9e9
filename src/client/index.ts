/**
 * The client of a voice gateway, for Node, Deno, workers and browsers:
 *
 *     import { createClient, verifyWebhook } from "voicegate/client";
 */
export type { ErrorCode, OperationId } from "../contract";
export {
  type ByPath,
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  type Operations,
} from "./client";
export type { EventName, EventOf, KnownEvent, UnknownEvent, WebhookEvent } from "./event";
export { EventStreamError, type EventsOptions } from "./live";
export type { BodyOf, Data, Failure, Input, Outcome, UnexpectedAnswer, Unreachable } from "./operation";
export type { RetryOptions } from "./retry";
export {
  verifyWebhook,
  type WebhookHeaders,
  WebhookVerificationError,
  type WebhookVerificationReason,
} from "./webhook";
