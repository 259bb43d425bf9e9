/** All checks of a receiver, in the order of reports. */
import type { Check } from "../check";
import { answers } from "./answers";
import { bodies } from "./bodies";
import { effects, lastRepeat, ledger } from "./effects";
import { forgeries, secondHand } from "./forged";
import { good } from "./good";
import { repeated, repeatedEffects } from "./repeats";
import { rotation } from "./rotation";
import { traffic } from "./traffic";
import type { ReceiverWorld } from "./world";

/** Those of the events are made from the document: a new event there is a new check. */
export function receiverChecks(): Check<ReceiverWorld>[] {
  return [
    ...good(),
    ...forgeries,
    ...secondHand,
    ...rotation,
    ...bodies,
    ...repeated,
    lastRepeat,
    ...traffic,
    ...effects,
    ...repeatedEffects,
    ledger,
    // Last of all: they look at every answer.
    ...answers,
  ];
}
