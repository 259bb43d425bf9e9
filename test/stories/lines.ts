/** What an app is told, as `transcript` puts it. */
import { answering, calling } from "./telling";

export const beginning = [calling(), ...answering];
export const done = (command: string, uid: string) =>
  `command.result command=${command} command_uid=${uid} success=true`;
export const failed = (command: string, uid: string, error: string) =>
  `command.result command=${command} command_uid=${uid} success=false error=${error}`;
export const started = (uid: string, urls: string) => [
  `playback.started command_uid=${uid} urls=${urls}`,
  done("playback/start", uid),
];
export const stopped = (uid: string, urls: string, how: string) =>
  `playback.stopped command_uid=${uid} urls=${urls} reason=${how}`;
export const completed = (uid: string, urls: string, offset_ms: number) =>
  `playback.stopped command_uid=${uid} urls=${urls} offset_ms=${offset_ms} reason=completed`;
export const hangup = (cause: string, q850: number, by: string, sip = "") =>
  `call.hangup cause=${cause} q850_cause=${q850}${sip && ` sip_status=${sip}`} by=${by}`;
export const byApp = [done("hangup", "bye"), hangup("NORMAL_CLEARING", 16, "app")];
export const byCaller = hangup("NORMAL_CLEARING", 16, "caller");
