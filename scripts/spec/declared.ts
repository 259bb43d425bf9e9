import { type Catalogue, type Document, operationsOf } from "./document";
import type { Policy } from "./policy";

/**
 * Which checks an operation has by its policy, and which errors each check can give. The sources declare the same from
 * the other side (`x-errors`): the two must agree, so that neither an error nor a check is forgotten.
 */
const CHECKS: readonly {
  readonly when: string;
  readonly holds: (policy: Policy) => boolean;
  readonly codes: readonly string[];
}[] = [
  {
    when: "is refused when shut down or overloaded",
    holds: (policy) => !policy.always,
    codes: ["server_shutting_down", "server_overloaded"],
  },
  {
    when: "asks for an app's key",
    holds: (policy) => policy.auth === "app",
    codes: ["missing_app_id", "invalid_app_id_header", "missing_api_key", "invalid_api_key", "api_key_not_checked"],
  },
  {
    when: "asks for the admin key",
    holds: (policy) => policy.auth === "admin",
    codes: ["admin_not_configured", "missing_admin_key", "invalid_admin_key"],
  },
  { when: "asks for a key", holds: (policy) => policy.auth !== "none", codes: ["rate_limited"] },
  { when: "has a body limit", holds: (policy) => policy.body.limit !== null, codes: ["request_body_too_large"] },
  {
    when: "reads a body",
    holds: ({ body }) => body.mode === "required" || body.mode === "optional" || body.mode === "lenient",
    codes: ["invalid_request_body", "unknown_field"],
  },
  {
    when: "reads no body but JSON",
    holds: ({ body }) => body.mode === "required" || body.mode === "optional",
    codes: ["unsupported_content_type"],
  },
  {
    when: "is about a session",
    holds: (policy) => policy.session !== null,
    codes: ["session_not_found", "session_of_another_app"],
  },
  {
    when: "is about a room",
    holds: (policy) => policy.room !== null,
    codes: ["room_not_found", "room_of_another_app"],
  },
  {
    when: "is a command",
    holds: (policy) => policy.command !== null,
    codes: ["command_uid_reused", "command_uid_pending", "not_supported", "media_server_timed_out"],
  },
  { when: "has a rate group", holds: ({ command }) => command?.cooldown != null, codes: ["command_rate_limited"] },
];

/** Errors that a check can give, and that a handler may give as well: missing is wrong, more is not. */
const ALSO: typeof CHECKS = [
  { when: "is a command", holds: (policy) => policy.command !== null, codes: ["media_server_unavailable"] },
  {
    when: "has a handler that can fail",
    holds: (policy) => policy.auth !== "none" && !policy.pseudo,
    codes: ["internal_error"],
  },
];

/** Steps before anything is known of the operation: their errors belong to no path. */
const BELOW = new Set([1, 3, 4]);

export function failureMistakes(document: Document, catalogue: Catalogue, all: readonly Policy[]): string[] {
  const found: string[] = [];
  for (const policy of all) {
    if (policy.id.startsWith("http.")) {
      if (policy.failures.length === 0) found.push(`${policy.id}: declares no error`);
      continue;
    }
    const has = new Set(policy.failures);
    const name = (code: string) => `${catalogue.errors[code]?.status} ${catalogue.errors[code]?.message} (${code})`;
    for (const { when, holds, codes } of [...CHECKS, ...ALSO]) {
      if (!holds(policy)) continue;
      for (const code of codes)
        if (!has.has(code)) found.push(`${policy.id}: ${when}, but does not declare ${name(code)}`);
    }
    for (const { when, holds, codes } of CHECKS) {
      if (holds(policy)) continue;
      for (const code of codes)
        if (has.has(code)) found.push(`${policy.id}: declares ${name(code)}, but not one that ${when}`);
    }
    for (const code of policy.failures) {
      if (BELOW.has(catalogue.errors[code]?.step ?? 0))
        found.push(`${policy.id}: ${name(code)} is for requests that belong to no path`);
    }
  }
  return [...found, ...namedTwice(document, catalogue, all)];
}

/** Errors of fields and guards are declared by these alone: named by an operation they would be a second truth. */
function namedTwice(document: Document, catalogue: Catalogue, all: readonly Policy[]): string[] {
  const owners = new Map<string, "field" | "guard">();
  for (const { fields, rules, guards } of all) {
    for (const place of Object.values(fields)) {
      for (const errors of Object.values(place)) for (const code of Object.values(errors)) owners.set(code, "field");
    }
    for (const rule of rules) owners.set(rule.error, "field");
    for (const guard of guards) owners.set(guard.error, "guard");
  }
  const found: string[] = [];
  for (const { operation } of operationsOf(document)) {
    for (const name of operation["x-errors"] ?? []) {
      for (const code of catalogue.sets[name] ?? [name]) {
        const owner = owners.get(code);
        if (owner) found.push(`${operation.operationId}: ${code} belongs to a ${owner}, not into x-errors`);
      }
    }
  }
  return found;
}
