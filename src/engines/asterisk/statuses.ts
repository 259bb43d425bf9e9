/**
 * The final SIP status with which Asterisk refuses a call, by the cause that it is given: what chan_pjsip of Asterisk 22 was
 * seen to send. Causes that it has no status for go out as 603.
 */
import type { Cause } from "../causes";

const declined = 603;
/** By ITU-T Q.850 cause value; 16 stands for what has none. */
const statuses: ReadonlyMap<number, number> = new Map([
  [1, 404],
  [2, 404],
  [3, 404],
  [16, declined],
  [17, 486],
  [18, 408],
  [19, 480],
  [20, 480],
  [21, 403],
  [22, 410],
  [23, 302],
  [27, 502],
  [28, 484],
  [29, 501],
  [31, 480],
  [34, 503],
  [38, 500],
  [42, 503],
  [58, 488],
  [66, 503],
  [127, 500],
]);
/** For a status that Asterisk never sends. */
const unavailable = 19;
const codes = new Map([...statuses].reverse().map(([code, status]) => [status, code]));

/** What an unanswered call that ends with this Q.850 cause is refused with. */
export function statusOf(q850: number): number {
  return statuses.get(q850) ?? declined;
}

/** What Asterisk is to be told, so that an unanswered call is refused with the status of this cause. */
export function codeBefore({ q850, sip }: Cause): number {
  return statusOf(q850) === sip ? q850 : (codes.get(sip) ?? unavailable);
}
