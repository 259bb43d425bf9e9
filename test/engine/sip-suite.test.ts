/** The embedded engine called over SIP and RTP, held to what every engine must do. */
import { openEmbedded, sipOptions } from "./place";
import { SipCaller } from "./sip-caller";
import { engineSuite } from "./suite";

engineSuite("the embedded engine, called by SIP phones", async () => {
  const { close, ...place } = await openEmbedded({ sip: sipOptions });
  const callers: SipCaller[] = [];
  return {
    ...place,
    async call(script) {
      const caller = await SipCaller.at(place.engine.sipPort, place.recorder);
      callers.push(caller);
      const session_uuid = await caller.ring();
      caller.run(script);
      return session_uuid;
    },
    async close() {
      for (const { session_uuid } of callers) place.engine.end(session_uuid, "SERVER_SHUTDOWN");
      for (const caller of callers) await caller.settled();
      await close();
      for (const caller of callers) await caller.close();
    },
  };
});
