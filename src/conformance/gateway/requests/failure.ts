/** Holds an answer against one error of the catalogue: the whole envelope, and what goes with it. */
import { isDeepStrictEqual } from "node:util";
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import { Broken, Skipped } from "../../check";
import type { Answer } from "../ground/client";
import { type AnswerId, operationOf } from "../ground/declared";
import { policyOf, routed } from "./requests";

/** What a gateway may lack, and says so before it looks at anything else of the request. */
const lacks: { readonly [C in ErrorCode]?: string } = {
  embedded_engine_off: "The gateway has no embedded engine.",
  recording_not_available: "The gateway does not record.",
  not_supported: "The media server does not have this command.",
};
const featureStep = errors.not_supported.step;

/** Any answer: one of the client, or of a bare socket. */
type AnyAnswer = Omit<Answer, "operation"> & { readonly operation?: AnswerId };

/**
 * @param detail what `detail` must say, where it is known
 * @throws Broken unless the answer is this error and nothing else; Skipped when the gateway lacks what comes before it
 */
export function expectFailure(answer: AnyAnswer, code: ErrorCode, how: string, detail?: object): void {
  const { status, message, step, detail: detailed } = errors[code];
  const said = answer.body?.code;
  const lack = Object.entries(lacks).find(([lacking]) => lacking === said && lacking !== code)?.[1];
  if (lack !== undefined && step !== null && featureStep !== null && step >= featureStep) throw new Skipped(lack);
  const wrong = (expected: string, got: string): Broken => {
    return new Broken({ expected: `${expected} (${how})`, got, exchanges: [answer.exchange] });
  };
  const got = `${answer.status} ${answer.bytes.toString("utf8").slice(0, 300)}`;
  if (answer.status !== status) throw wrong(`${status} ${message}`, got);
  const given = answer.body?.detail;
  const known = detailed ? (detail ?? given) : undefined;
  const envelope = { success: false, error: message, code, ...(known !== undefined && { detail: known }) };
  if (!isDeepStrictEqual(answer.body, envelope)) throw wrong(JSON.stringify(envelope), got);
  if (detailed && (typeof given !== "object" || given === null)) throw wrong("a detail", got);
  const wait = Number(answer.headers["retry-after"]);
  if (code === "rate_limited" && wait !== 1) throw wrong("Retry-After: 1, for the window is a second", String(wait));
  if (code === "command_uid_pending" && wait !== 1) throw wrong("Retry-After: 1", String(wait));
  if (code === "command_rate_limited") expectCooldown(answer, wait, wrong);
}

/** The rest of a window is no longer than the window, and said twice in the same manner. */
function expectCooldown(answer: AnyAnswer, wait: number, wrong: (expected: string, got: string) => Broken): void {
  const { method, url } = answer.exchange;
  const operation = operationOf(method, url);
  const id = routed.find((each) => each === operation);
  const window = id && policyOf(id).command?.cooldown?.ms;
  if (!window) throw wrong("a command with a cooldown", String(operation));
  const detail = answer.body?.detail;
  const ms =
    typeof detail === "object" && detail !== null && "retry_after_ms" in detail ? Number(detail.retry_after_ms) : 0;
  if (!(Number.isInteger(ms) && ms >= 0 && ms <= window))
    throw wrong(`detail.retry_after_ms from 0 to ${window}`, JSON.stringify(detail));
  if (wait !== Math.max(1, Math.ceil(ms / 1000))) throw wrong(`Retry-After of ${ms} ms in seconds`, String(wait));
}

/** @returns the operation_id of a command that must be taken */
export function expectTaken(answer: Answer, what: string): string {
  if (answer.status === 202) return String(answer.body?.operation_id);
  const lack = Object.entries(lacks).find(([code]) => code === answer.body?.code)?.[1];
  if (lack !== undefined) throw new Skipped(lack);
  const got = `${answer.status} ${answer.bytes.toString("utf8").slice(0, 200)}`;
  throw new Broken({ expected: `${what} that is taken`, got, exchanges: [answer.exchange] });
}
