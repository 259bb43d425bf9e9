/** Many runs, several at a time. */

/** Calls `run` for each, at most so many at a time, in their order. @returns in the same order */
export async function sideBySide<T, R>(all: readonly T[], jobs: number, run: (each: T, index: number) => Promise<R>) {
  const results = new Map<number, R>();
  const next = all.entries();
  const worker = async () => {
    for (const [index, each] of next) results.set(index, await run(each, index));
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return all.flatMap((_, index) => results.get(index) ?? []);
}
