/** The system's code of an error, such as `ECONNRESET`; null: it is of another kind. */
export function codeOf(error: unknown): string | null {
  // Jest runs tests in a realm of their own, in which errors of the system are no instances of `Error`.
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return String(error.code);
}
