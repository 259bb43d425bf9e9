/** What a command is answered with, and under which headers: the same of all servers. */
import type { Quota } from "../../src/store/store";

const operation = "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60";
const full = { limit: 10_000, remaining: 9999, reset_ms: 1000 };

/** @param operation_id null: always the same */
export const accepted = (operation_id: string | null) => ({
  operation_id: operation_id ?? operation,
  status: "in_progress",
  timeout_ms: 2000,
});

/** Those that the contract asks for. @param quota null: always the same */
export function limited(
  quota: Pick<Quota, "limit" | "remaining" | "reset_ms"> | null,
): Record<"X-Request-ID" | "Cache-Control" | "RateLimit-Policy" | "RateLimit", string> {
  const { limit, remaining, reset_ms } = quota ?? full;
  return {
    "X-Request-ID": "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f61",
    "Cache-Control": "no-store",
    "RateLimit-Policy": `"app";q=${limit};w=1`,
    RateLimit: `"app";r=${remaining};t=${Math.max(1, Math.ceil(reset_ms / 1000))}`,
  };
}
