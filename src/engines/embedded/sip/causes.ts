/**
 * Hangup causes by the names that FreeSWITCH knows: Q.850 code and the final SIP status of a call that is refused with
 * them. Names above 127 are FreeSWITCH's own; on the Q.850 side they are a normal clearing, as FreeSWITCH reports them.
 */
export interface Cause {
  readonly name: string;
  /** ITU-T Q.850 cause value. */
  readonly q850: number;
  /** Final status before the answer. */
  readonly sip: number;
}

/** Name, Q.850 code, SIP status, as of FreeSWITCH 1.10. */
const table = [
  ["UNALLOCATED_NUMBER", 1, 404],
  ["NO_ROUTE_TRANSIT_NET", 2, 404],
  ["NO_ROUTE_DESTINATION", 3, 404],
  ["CHANNEL_UNACCEPTABLE", 6, 480],
  ["CALL_AWARDED_DELIVERED", 7, 480],
  ["NORMAL_CLEARING", 16, 480],
  ["USER_BUSY", 17, 486],
  ["NO_USER_RESPONSE", 18, 408],
  ["NO_ANSWER", 19, 480],
  ["SUBSCRIBER_ABSENT", 20, 480],
  ["CALL_REJECTED", 21, 603],
  ["NUMBER_CHANGED", 22, 410],
  ["REDIRECTION_TO_NEW_DESTINATION", 23, 410],
  ["EXCHANGE_ROUTING_ERROR", 25, 483],
  ["DESTINATION_OUT_OF_ORDER", 27, 502],
  ["INVALID_NUMBER_FORMAT", 28, 484],
  ["FACILITY_REJECTED", 29, 501],
  ["RESPONSE_TO_STATUS_ENQUIRY", 30, 480],
  ["NORMAL_UNSPECIFIED", 31, 480],
  ["NORMAL_CIRCUIT_CONGESTION", 34, 503],
  ["NETWORK_OUT_OF_ORDER", 38, 502],
  ["NORMAL_TEMPORARY_FAILURE", 41, 503],
  ["SWITCH_CONGESTION", 42, 503],
  ["ACCESS_INFO_DISCARDED", 43, 480],
  ["REQUESTED_CHAN_UNAVAIL", 44, 503],
  ["PRE_EMPTED", 45, 480],
  ["FACILITY_NOT_SUBSCRIBED", 50, 480],
  ["OUTGOING_CALL_BARRED", 52, 403],
  ["INCOMING_CALL_BARRED", 54, 403],
  ["BEARERCAPABILITY_NOTAUTH", 57, 403],
  ["BEARERCAPABILITY_NOTAVAIL", 58, 503],
  ["SERVICE_UNAVAILABLE", 63, 480],
  ["BEARERCAPABILITY_NOTIMPL", 65, 488],
  ["CHAN_NOT_IMPLEMENTED", 66, 480],
  ["FACILITY_NOT_IMPLEMENTED", 69, 501],
  ["SERVICE_NOT_IMPLEMENTED", 79, 501],
  ["INVALID_CALL_REFERENCE", 81, 480],
  ["INCOMPATIBLE_DESTINATION", 88, 488],
  ["INVALID_MSG_UNSPECIFIED", 95, 480],
  ["MANDATORY_IE_MISSING", 96, 480],
  ["MESSAGE_TYPE_NONEXIST", 97, 480],
  ["WRONG_MESSAGE", 98, 480],
  ["IE_NONEXIST", 99, 480],
  ["INVALID_IE_CONTENTS", 100, 480],
  ["WRONG_CALL_STATE", 101, 480],
  ["RECOVERY_ON_TIMER_EXPIRE", 102, 504],
  ["MANDATORY_IE_LENGTH_ERROR", 103, 480],
  ["PROTOCOL_ERROR", 111, 480],
  ["INTERWORKING", 127, 480],
  ["SUCCESS", 16, 480],
  ["ORIGINATOR_CANCEL", 16, 487],
  ["CRASH", 16, 480],
  ["SYSTEM_SHUTDOWN", 16, 480],
  ["LOSE_RACE", 16, 480],
  ["MANAGER_REQUEST", 16, 480],
  ["BLIND_TRANSFER", 16, 480],
  ["ATTENDED_TRANSFER", 16, 480],
  ["ALLOTTED_TIMEOUT", 16, 480],
  ["USER_CHALLENGE", 16, 480],
  ["MEDIA_TIMEOUT", 16, 480],
  ["PICKED_OFF", 16, 480],
  ["USER_NOT_REGISTERED", 16, 480],
  ["PROGRESS_TIMEOUT", 16, 480],
  ["INVALID_GATEWAY", 16, 484],
  ["GATEWAY_DOWN", 16, 503],
  ["INVALID_URL", 16, 484],
  ["INVALID_PROFILE", 16, 480],
  ["NO_PICKUP", 16, 480],
  ["SRTP_READ_ERROR", 16, 480],
  ["BOWOUT", 16, 480],
  ["BUSY_EVERYWHERE", 16, 600],
  ["DECLINE", 16, 603],
  ["DOES_NOT_EXIST_ANYWHERE", 16, 604],
  ["NOT_ACCEPTABLE", 16, 606],
  ["UNWANTED", 16, 607],
  ["NO_IDENTITY", 16, 428],
  ["BAD_IDENTITY_INFO", 16, 429],
  ["UNSUPPORTED_CERTIFICATE", 16, 437],
  ["INVALID_IDENTITY", 16, 438],
  ["STALE_DATE", 16, 403],
  ["REJECT_ALL", 16, 603],
] as const;

export type CauseName = (typeof table)[number][0];
const rows = table.map(([name, q850, sip]): Cause => ({ name, q850, sip }));

/** By name; any other text is undefined. A null prototype, so that no name of `Object.prototype` is a cause. */
export const causes: Readonly<Record<CauseName, Cause> & Record<string, Cause | undefined>> = Object.assign(
  Object.create(null),
  Object.fromEntries(rows.map((cause) => [cause.name, cause])),
);

/** Causes of the gateway itself, which no app may ask for. */
export const gatewayCauses = {
  APP_DELETED: { name: "APP_DELETED", q850: 16, sip: 480 },
  SERVER_SHUTDOWN: { name: "SERVER_SHUTDOWN", q850: 16, sip: 503 },
} as const satisfies Record<string, Cause>;

/** Of several names with one code the first stays: those of FreeSWITCH's own come last. */
const byCode = new Map([...rows].reverse().map((cause) => [cause.q850, cause]));

/** The first name of a Q.850 code; a code without a name is a NORMAL_UNSPECIFIED with that code. */
export function causeOfQ850(q850: number): Cause {
  return byCode.get(q850) ?? { name: "NORMAL_UNSPECIFIED", q850, sip: 480 };
}

const statuses: { readonly [name in CauseName]?: readonly number[] } = {
  CALL_REJECTED: [401, 402, 403, 407, 603, 608],
  UNALLOCATED_NUMBER: [404],
  NO_ROUTE_DESTINATION: [485, 604],
  RECOVERY_ON_TIMER_EXPIRE: [408, 504],
  NUMBER_CHANGED: [410],
  INTERWORKING: [413, 414, 416, 420, 421, 423, 505, 513],
  NO_USER_RESPONSE: [480],
  NORMAL_TEMPORARY_FAILURE: [400, 481, 500, 503],
  USER_BUSY: [486, 600],
  INVALID_NUMBER_FORMAT: [484],
  INCOMPATIBLE_DESTINATION: [488, 606],
  NETWORK_OUT_OF_ORDER: [502],
  SERVICE_UNAVAILABLE: [405],
  SERVICE_NOT_IMPLEMENTED: [406, 415, 501],
  EXCHANGE_ROUTING_ERROR: [482, 483],
  ORIGINATOR_CANCEL: [487],
  UNWANTED: [607],
};
const byStatus = new Map(
  table.flatMap(([name]) => (statuses[name] ?? []).map((status): [number, CauseName] => [status, name])),
);

/** The cause that a final SIP status stands for; 2xx is a normal clearing. */
export function causeOfStatus(status: number): Cause {
  return causes[byStatus.get(status) ?? (status < 300 ? "NORMAL_CLEARING" : "NORMAL_UNSPECIFIED")];
}
