/**
 * Hangup causes by the names that FreeSWITCH knows: Q.850 code and the final SIP status of a call that is refused with
 * them. Names that are FreeSWITCH's own are a normal clearing on the Q.850 side, as FreeSWITCH reports them.
 */
import type { Body } from "../contract";

export interface Cause {
  readonly name: string;
  /** ITU-T Q.850 cause value. */
  readonly q850: number;
  /** Final status before the answer. */
  readonly sip: number;
}

/** What an app may ask for, and FreeSWITCH's own names for ends that nobody asks for. */
export type CauseName = Body<"hangup">["cause"] | "MEDIA_TIMEOUT" | "ORIGINATOR_CANCEL" | "SYSTEM_SHUTDOWN";

/** Q.850 code and SIP status, as of FreeSWITCH 1.10. Does not compile until it has each name of the document. */
const table: { readonly [N in CauseName]: readonly [q850: number, sip: number] } = {
  UNALLOCATED_NUMBER: [1, 404],
  NO_ROUTE_TRANSIT_NET: [2, 404],
  NO_ROUTE_DESTINATION: [3, 404],
  CHANNEL_UNACCEPTABLE: [6, 480],
  CALL_AWARDED_DELIVERED: [7, 480],
  NORMAL_CLEARING: [16, 480],
  USER_BUSY: [17, 486],
  NO_USER_RESPONSE: [18, 408],
  NO_ANSWER: [19, 480],
  SUBSCRIBER_ABSENT: [20, 480],
  CALL_REJECTED: [21, 603],
  NUMBER_CHANGED: [22, 410],
  REDIRECTION_TO_NEW_DESTINATION: [23, 410],
  EXCHANGE_ROUTING_ERROR: [25, 483],
  DESTINATION_OUT_OF_ORDER: [27, 502],
  INVALID_NUMBER_FORMAT: [28, 484],
  FACILITY_REJECTED: [29, 501],
  RESPONSE_TO_STATUS_ENQUIRY: [30, 480],
  NORMAL_UNSPECIFIED: [31, 480],
  NORMAL_CIRCUIT_CONGESTION: [34, 503],
  NETWORK_OUT_OF_ORDER: [38, 502],
  NORMAL_TEMPORARY_FAILURE: [41, 503],
  SWITCH_CONGESTION: [42, 503],
  ACCESS_INFO_DISCARDED: [43, 480],
  REQUESTED_CHAN_UNAVAIL: [44, 503],
  PRE_EMPTED: [45, 480],
  FACILITY_NOT_SUBSCRIBED: [50, 480],
  OUTGOING_CALL_BARRED: [52, 403],
  INCOMING_CALL_BARRED: [54, 403],
  BEARERCAPABILITY_NOTAUTH: [57, 403],
  BEARERCAPABILITY_NOTAVAIL: [58, 503],
  SERVICE_UNAVAILABLE: [63, 480],
  BEARERCAPABILITY_NOTIMPL: [65, 488],
  CHAN_NOT_IMPLEMENTED: [66, 480],
  FACILITY_NOT_IMPLEMENTED: [69, 501],
  SERVICE_NOT_IMPLEMENTED: [79, 501],
  INVALID_CALL_REFERENCE: [81, 480],
  INCOMPATIBLE_DESTINATION: [88, 488],
  INVALID_MSG_UNSPECIFIED: [95, 480],
  MANDATORY_IE_MISSING: [96, 480],
  MESSAGE_TYPE_NONEXIST: [97, 480],
  WRONG_MESSAGE: [98, 480],
  IE_NONEXIST: [99, 480],
  INVALID_IE_CONTENTS: [100, 480],
  WRONG_CALL_STATE: [101, 480],
  RECOVERY_ON_TIMER_EXPIRE: [102, 504],
  MANDATORY_IE_LENGTH_ERROR: [103, 480],
  PROTOCOL_ERROR: [111, 480],
  INTERWORKING: [127, 480],
  MEDIA_TIMEOUT: [16, 480],
  ORIGINATOR_CANCEL: [16, 487],
  SYSTEM_SHUTDOWN: [16, 480],
};

export function causeOf(name: CauseName): Cause {
  const [q850, sip] = table[name];
  return { name, q850, sip };
}

/** Causes of the gateway itself, which no app may ask for. */
export const gatewayCauses = {
  APP_DELETED: { name: "APP_DELETED", q850: 16, sip: 480 },
  MEDIA_SERVER_LOST: { name: "MEDIA_SERVER_LOST", q850: 41, sip: 503 },
  SERVER_SHUTDOWN: { name: "SERVER_SHUTDOWN", q850: 16, sip: 503 },
} as const satisfies Record<string, Cause>;

/** Of several names with one code the first stays: FreeSWITCH's own come last. */
const byCode = new Map(
  Object.entries(table)
    .reverse()
    .map(([name, [q850, sip]]): [number, Cause] => [q850, { name, q850, sip }]),
);

/** The first name of a Q.850 code; a code without a name is a NORMAL_UNSPECIFIED with that code. */
export function causeOfQ850(q850: number): Cause {
  return byCode.get(q850) ?? { name: "NORMAL_UNSPECIFIED", q850, sip: 480 };
}
