/** A call from its first ring to its last word, as its app sees it. */
import { type Check, Skipped } from "../../check";
import { expectStatus } from "../ground/app";
import { expectBetween, expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCall, onCallWithSounds } from "../ground/on_call";
import { bodySchema } from "../requests/requests";
import type { World } from "../world";

/** Numbers of ITU-T Q.850 by the names that FreeSWITCH gives them. */
const q850: Readonly<Record<string, number>> = {
  UNALLOCATED_NUMBER: 1,
  NO_ROUTE_TRANSIT_NET: 2,
  NO_ROUTE_DESTINATION: 3,
  CHANNEL_UNACCEPTABLE: 6,
  CALL_AWARDED_DELIVERED: 7,
  NORMAL_CLEARING: 16,
  USER_BUSY: 17,
  NO_USER_RESPONSE: 18,
  NO_ANSWER: 19,
  SUBSCRIBER_ABSENT: 20,
  CALL_REJECTED: 21,
  NUMBER_CHANGED: 22,
  REDIRECTION_TO_NEW_DESTINATION: 23,
  EXCHANGE_ROUTING_ERROR: 25,
  DESTINATION_OUT_OF_ORDER: 27,
  INVALID_NUMBER_FORMAT: 28,
  FACILITY_REJECTED: 29,
  RESPONSE_TO_STATUS_ENQUIRY: 30,
  NORMAL_UNSPECIFIED: 31,
  NORMAL_CIRCUIT_CONGESTION: 34,
  NETWORK_OUT_OF_ORDER: 38,
  NORMAL_TEMPORARY_FAILURE: 41,
  SWITCH_CONGESTION: 42,
  ACCESS_INFO_DISCARDED: 43,
  REQUESTED_CHAN_UNAVAIL: 44,
  PRE_EMPTED: 45,
  FACILITY_NOT_SUBSCRIBED: 50,
  OUTGOING_CALL_BARRED: 52,
  INCOMING_CALL_BARRED: 54,
  BEARERCAPABILITY_NOTAUTH: 57,
  BEARERCAPABILITY_NOTAVAIL: 58,
  SERVICE_UNAVAILABLE: 63,
  BEARERCAPABILITY_NOTIMPL: 65,
  CHAN_NOT_IMPLEMENTED: 66,
  FACILITY_NOT_IMPLEMENTED: 69,
  SERVICE_NOT_IMPLEMENTED: 79,
  INVALID_CALL_REFERENCE: 81,
  INCOMPATIBLE_DESTINATION: 88,
  INVALID_MSG_UNSPECIFIED: 95,
  MANDATORY_IE_MISSING: 96,
  MESSAGE_TYPE_NONEXIST: 97,
  WRONG_MESSAGE: 98,
  IE_NONEXIST: 99,
  INVALID_IE_CONTENTS: 100,
  WRONG_CALL_STATE: 101,
  RECOVERY_ON_TIMER_EXPIRE: 102,
  MANDATORY_IE_LENGTH_ERROR: 103,
  PROTOCOL_ERROR: 111,
  INTERWORKING: 127,
};

/** Those whose SIP status all media servers have in common. */
const sipStatus: Readonly<Record<string, number>> = { USER_BUSY: 486, CALL_REJECTED: 603, NORMAL_CLEARING: 480 };

const causes = (bodySchema("hangup")?.properties?.cause?.enum ?? []).map(String);

/** Two times of one gateway that are told of the same thing. */
const sameMs = 3000;
/** Between the clock of the gateway and ours, as it measures a time. */
const measureMs = 150;

export const calls: readonly Check<World>[] = [
  onCall({
    id: "calls/new",
    title: "call.new comes first, and tells who calls and whom",
    clause: "call.new",
    ringing: true,
    async run({ app, call }) {
      const { data, sequence } = await call.event("call.new");
      expectSame("its sequence", sequence, 1, { of: call });
      const { caller_id } = call.placed;
      expectFields(
        "call.new",
        data,
        { did: app.did, direction: "inbound", ...(caller_id !== null && { caller_id }) },
        { of: call },
      );
    },
  }),
  onCall({
    id: "calls/ringing",
    title: "A call that rings is shown as such, with nothing going on",
    clause: "getSession",
    ringing: true,
    async run({ app, call }) {
      const { timestamp } = await call.event("call.new");
      const answer = await app.get(`/api/v1/sessions/${call.source}`);
      expectStatus(answer, 200);
      const { created_at, caller_id, ...shown } = answer.body ?? {};
      const about = { answers: [answer], of: call };
      const session_uuid = call.source;
      const nothing = { answered_at: null, room_id: null, muted: false, recording: null, playback: null };
      expectSame(
        "the session",
        shown,
        { session_uuid, state: "ringing", direction: "inbound", did: app.did, ...nothing },
        about,
      );
      if (call.placed.caller_id !== null) expectSame("caller_id", caller_id, call.placed.caller_id, about);
      const apart = Math.abs(Date.parse(String(created_at)) - Date.parse(timestamp));
      expectThat(apart < sameMs, `created_at that is the time of call.new, ${timestamp}`, created_at, about);
    },
  }),
  onCall({
    id: "calls/answered",
    title: "An answered call is shown as such, since its call.answered",
    clause: "answer, call.answered",
    async run({ app, call }) {
      const { timestamp, data } = await call.event("call.answered");
      expectSame("call.answered", data, { command_uid: "take", success: true }, { of: call });
      const answer = await app.get(`/api/v1/sessions/${call.source}`);
      const { state, answered_at, created_at } = answer.body ?? {};
      const about = { answers: [answer], of: call };
      expectSame("state", state, "answered", about);
      const apart = Math.abs(Date.parse(String(answered_at)) - Date.parse(timestamp));
      expectThat(apart < sameMs, `answered_at that is the time of call.answered, ${timestamp}`, answered_at, about);
      expectThat(String(created_at) <= String(answered_at), "an answer after the beginning", answered_at, about);
    },
  }),
  onCall({
    id: "calls/answered-twice",
    title: "A call that is answered already stays so: success, and no second call.answered",
    clause: "answer",
    async run({ call }) {
      const { answered_at } = await call.state();
      await call.done("answer", { command_uid: "again" });
      expectSame("how many call.answered:", call.named("call.answered").length, 1, { of: call });
      expectSame("answered_at", (await call.state()).answered_at, answered_at, { of: call });
    },
  }),
  onCallWithSounds({
    id: "calls/early",
    title: "What plays before the answer makes the call early, and the answer ends that",
    clause: "getSession: state",
    ringing: true,
    async run({ call, sounds }) {
      await call.done("startPlayback", { urls: [sounds.tone(20_000)] });
      expectFields("the session", await call.state(), { state: "early", answered_at: null }, { of: call });
      await call.done("answer");
      expectSame("state", (await call.state()).state, "answered", { of: call });
      expectSame("how many playbacks ended by the answer:", call.named("playback.stopped").length, 0, { of: call });
    },
  }),
  ...causes.map((cause) =>
    onCall({
      id: `calls/cause/${cause}`,
      title: `A call that rings is refused with ${cause}`,
      clause: "hangup, call.hangup",
      ringing: true,
      async run({ call }) {
        await call.done("hangup", { cause });
        const { data } = await call.event("call.hangup");
        const about = { of: call };
        expectFields("call.hangup", data, { cause, by: "app", duration_ms: 0 }, about);
        if (q850[cause] !== undefined) expectSame("q850_cause", data.q850_cause, q850[cause], about);
        expectBetween("sip_status", data.sip_status, sipStatus[cause] ?? 400, sipStatus[cause] ?? 699, about);
        if (!call.placed.phone) return;
        const { status } = await call.placed.phone.ended;
        expectSame("sip_status, as the caller got it,", data.sip_status, status, about);
      },
    }),
  ),
  ...["USER_BUSY", "CALL_REJECTED", "INTERWORKING"].map((cause) =>
    onCall({
      id: `calls/cause-of-answered/${cause}`,
      title: `An answered call is ended with ${cause}, which is no SIP status any more`,
      clause: "hangup, call.hangup",
      async run({ call }) {
        await call.done("hangup", { cause });
        const { data } = await call.event("call.hangup");
        expectFields(
          "call.hangup",
          data,
          { cause, q850_cause: q850[cause], sip_status: null, by: "app" },
          { of: call },
        );
      },
    }),
  ),
  onCall({
    id: "calls/cause-left-out",
    title: "A hangup without a cause is NORMAL_CLEARING",
    clause: "hangup: cause",
    async run({ call }) {
      const { data } = await call.hangup();
      expectFields(
        "call.hangup",
        data,
        { cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by: "app" },
        { of: call },
      );
    },
  }),
  onCall({
    id: "calls/caller-hangs-up",
    title: "When the caller hangs up, it is the caller who did",
    clause: "call.hangup: by",
    script: [{ do: "wait_for", event: "call.answered" }, { do: "hangup" }],
    async run({ call }) {
      const { data } = await call.event("call.hangup");
      expectFields(
        "call.hangup",
        data,
        { cause: "NORMAL_CLEARING", q850_cause: 16, sip_status: null, by: "caller" },
        { of: call },
      );
    },
  }),
  onCall({
    id: "calls/caller-gives-up",
    title: "When the caller gives up before the answer, the call was cancelled",
    clause: "call.hangup: sip_status",
    ringing: true,
    script: [{ do: "wait", ms: 200 }, { do: "hangup" }],
    async run({ call }) {
      const { data } = await call.event("call.hangup");
      expectFields("call.hangup", data, { sip_status: 487, by: "caller", duration_ms: 0 }, { of: call });
    },
  }),
  onCall({
    id: "calls/duration",
    title: "duration_ms of call.hangup is the time since the answer",
    clause: "call.hangup: duration_ms",
    ringing: true,
    async run({ call }) {
      const before = Date.now();
      await call.done("answer");
      const answered = Date.now();
      await call.done("playSilence", { duration_ms: 700 });
      await call.event("playback.stopped");
      const leaving = Date.now();
      const { data, at } = await call.hangup();
      const [least, most] = [leaving - answered - measureMs, at - before + measureMs];
      expectBetween("duration_ms", data.duration_ms, least, most, { of: call });
    },
  }),
  onCall({
    id: "calls/handed-back",
    title: "A call that is handed back is the app's no longer: it ends, or every further command is refused",
    clause: "disconnect",
    async run({ call }) {
      await call.done("disconnect");
      const refused = await call.command("playSilence", { duration_ms: 1000 });
      const { code } = refused.body ?? {};
      const about = { answers: [refused], of: call };
      expectThat(
        code === "session_not_found" || code === "session_handed_back",
        "no command any more",
        code ?? refused.status,
        about,
      );
      if (code === "session_handed_back") expectSame("state", (await call.state()).state, "handed_back", { of: call });
      const end = await call.app.endpoint.within(
        code === "session_not_found" ? 15_000 : 100,
        () => call.named("call.hangup")[0],
      );
      if (!end && code === "session_not_found") throw new Skipped("The call has not ended in this time.");
      const by = end?.data.by ?? "media_server";
      expectThat(by === "media_server" || by === "caller", "by media_server or caller", by, about);
    },
  }),
];
