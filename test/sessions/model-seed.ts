/** `VOICEGATE_SEED`, as a failure printed it: `<seed>` or `<seed>/<path>`. Without it, another one each time. */
export function seed(): { readonly seed: number; readonly path?: string } {
  const [given = "", path] = (process.env.VOICEGATE_SEED ?? "").split("/");
  const number = given === "" ? Math.trunc(Math.random() * 0x7fff_ffff) : Number(given);
  if (!Number.isInteger(number)) throw new Error(`VOICEGATE_SEED: no seed: ${given}`);
  return path === undefined ? { seed: number } : { seed: number, path };
}
