/**
 * Works on many things, so many at a time and in their order. After a failure no further one is begun.
 * @returns what came of each, in the same order
 * @throws the first failure, once those under way have ended
 */
export async function sideBySide<T, R>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const left = items[Symbol.iterator]();
  const results: R[] = [];
  const failures: unknown[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done && failures.length === 0; next = left.next()) {
      const index = begun++;
      try {
        results[index] = await work(next.value, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
