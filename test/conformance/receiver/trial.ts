/** The receiver's side of the kit, run in this process. */
import type { Outcome } from "../../../src/conformance/check";
import { receiverChecks } from "../../../src/conformance/receiver/checks";
import { ReceiverWorld, type Settings } from "../../../src/conformance/receiver/world";
import { run, selected } from "../../../src/conformance/run";

const silent = { begun: () => undefined, done: () => undefined };

export const secret = `whsec_${Buffer.from("the secret of a trial, 32 bytes.").toString("base64")}`;

/** Makes all checks, or some. */
export async function tried(
  settings: Partial<Settings> & Pick<Settings, "url">,
  ...only: string[]
): Promise<Outcome[]> {
  const world = await ReceiverWorld.open({ secret, oldSecret: null, probe: null, apps: [], ...settings });
  try {
    const checks = selected(receiverChecks(), { profile: "full", only });
    return await run(checks, world, silent, new AbortController().signal);
  } finally {
    await world.close();
  }
}

/** "id: reason" of those with this verdict. */
export function of(outcomes: readonly Outcome[], verdict: Outcome["verdict"]): string[] {
  return outcomes.filter((outcome) => outcome.verdict === verdict).map(({ id, reason }) => `${id}: ${reason}`);
}
