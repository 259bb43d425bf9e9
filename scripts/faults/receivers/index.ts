/** Webhook endpoints, one that is right and many with a single fault each: what the receiver's side of the kit is tried on. */
import { wrongOfAnswers } from "./answers";
import { wrongOfEffects } from "./effects";
import { type FaultyReceiver, right, type Started, start } from "./receiver";
import { wrongOfSignatures } from "./signatures";

export type { FaultyReceiver, Started } from "./receiver";
export { oldSecret } from "./signatures";

/** Does everything right. */
export const faultlessReceiver: FaultyReceiver = {
  name: "faultless",
  about: "Everything is right.",
  start: (secret: string): Promise<Started> => start(secret, right),
};

export const faultyReceivers: readonly FaultyReceiver[] = [...wrongOfSignatures, ...wrongOfAnswers, ...wrongOfEffects];
