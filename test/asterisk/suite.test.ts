/** The engine of a real Asterisk, called over SIP and RTP, held to what every engine must do. */
import { engineSuite, type Place } from "../engine/suite";
import { AsteriskPlace } from "./place";
import { AsteriskServer } from "./server";

const open = async (): Promise<Place> => {
  const server = await AsteriskServer.start();
  const place = await AsteriskPlace.open(server);
  const { engine, recorder, files } = place;
  return {
    engine,
    recorder,
    files,
    async call(script) {
      const caller = await place.caller();
      caller.run(script);
      return caller.session_uuid;
    },
    async close() {
      await place.close();
      await server.stop();
    },
  };
};

engineSuite("Asterisk", open, { recordingSlips: true });
