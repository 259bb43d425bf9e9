/** The embedded engine with its simulated callers, held to what every engine must do. */
import { openEmbedded } from "./place";
import { engineSuite } from "./suite";

engineSuite("the embedded engine, called by simulated callers", async () => {
  const place = await openEmbedded();
  return {
    ...place,
    async call(script) {
      const called = await place.engine.call({ did: "1000", caller_id: "4930123", script });
      if (typeof called === "string") throw new Error(called);
      return called.session_uuid;
    },
  };
});
