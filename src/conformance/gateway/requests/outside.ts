/**
 * Which errors somebody who has nothing but credentials can cause, and what must be so for them. The rest is told of with
 * the reason: a kit that cannot cause an error says so.
 */
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import type { AnswerId } from "../ground/declared";
import { type Facts, factsOf } from "./facts";
import { policyOf, type RoutedId } from "./requests";
import { violationsOf } from "./violations";

/** What can be so without a hand inside of the gateway. Slots that are not named are matters of the request. */
const possible: Readonly<Record<string, readonly string[]>> = {
  running: [],
  load: [],
  admin: [],
  engine: [],
  rules: [],
  media: [],
  portal: [],
  "body room_id": ["nobody", "foreign"],
  store: ["there"],
  feature: ["on"],
  node: ["able"],
  history: ["none", "used"],
  recording: ["own", "nobody"],
  file: ["nobody"],
};

const operators = "Only an operator can bring a gateway into this state";

/** Why nobody outside can cause it, or only another check does. */
const reasons: { readonly [C in ErrorCode]?: string } = {
  server_shutting_down: `${operators}: it is stopping.`,
  server_draining: `${operators}: it is stopping.`,
  server_overloaded:
    "It takes more requests or calls at once than MAX_INFLIGHT or MAX_SESSIONS, which is no small load.",
  api_key_not_checked: `${operators}: its store is away.`,
  admin_not_configured: `${operators}: it has no ADMIN_API_KEY.`,
  rate_limited: "Administrators are limited by DEFAULT_RATE_LIMIT, which is as large as an operator wants it.",
  range_not_satisfiable: "Media files are told to media servers alone.",
  page_not_found: `${operators}: its documentation has not been built.`,
  not_supported: "It takes a media server that lacks this command.",
  media_server_unavailable: `${operators}: a media server is away.`,
  media_server_timed_out: `${operators}: a media server hangs.`,
  store_unavailable: `${operators}: its store is away.`,
  internal_error: `${operators}: something in it has failed.`,
};

/** Caused by checks of their own, which find out whether this gateway can be brought to it. */
const asked: readonly ErrorCode[] = [
  "webhook_url_must_use_https",
  "webhook_url_is_private",
  "embedded_engine_off",
  "recording_not_available",
  "room_on_other_node",
  "command_uid_pending",
];

/** What must be so, as far as an outsider can bring it about; undefined: a matter of the request alone; null: he cannot. */
export function factsFromOutside(code: ErrorCode, id: RoutedId): Facts | null | undefined {
  // The catalogue goes on where what is known of it ends.
  if (code === "rate_limited" && policyOf(id).auth === "admin") return null;
  const facts = factsOf(code, id);
  if (facts === undefined) return violationsOf(id).some((violation) => violation.code === code) ? undefined : null;
  if (facts === null) return null;
  // A page that is missing is a matter of its name, where it has one.
  if (Object.keys(facts).length === 0 && !violationsOf(id).some((violation) => violation.code === code)) return null;
  const kept: Record<string, readonly string[]> = {};
  for (const [slot, values] of Object.entries(facts)) {
    const able = possible[slot];
    const can = able === undefined ? values : values.filter((value) => able.includes(value));
    if (can.length === 0) return null;
    kept[slot] = can;
  }
  return kept;
}

/** How a check may cause an error. */
export type Way = "request" | "stage" | "asked" | "none";

export function wayOf(code: ErrorCode, id: RoutedId): Way {
  if (asked.includes(code)) return "asked";
  const facts = factsFromOutside(code, id);
  if (facts === null || (code === "range_not_satisfiable" && !facts?.recording)) return "none";
  return facts === undefined || Object.keys(facts).length === 0 ? "request" : "stage";
}

/** Errors that one request after another can earn from outside, in the order of the checks. */
export function codesFromOutside(id: RoutedId): ErrorCode[] {
  const codes: readonly ErrorCode[] = policyOf(id).failures;
  return codes.filter((code) => !asked.includes(code) && factsFromOutside(code, id) !== null);
}

/** Why it cannot be caused. */
export function reasonFor(code: ErrorCode): string {
  return reasons[code] ?? "The kit knows no way to cause it from outside.";
}

/** Those of an error that stand below the router. */
export function belowRouter(code: ErrorCode): readonly AnswerId[] {
  const ids: readonly AnswerId[] = errors[code].operations;
  return ids.filter((id) => id.startsWith("http."));
}
