/** What a recording holds of a call. */
import type { Stage } from "../calls/stage";

interface Taped {
  readonly caller: Int16Array;
}

/** The caller's half of a recording, as the app fetches it: 16-bit stereo behind a header of 44 bytes. */
export async function heardBy(stage: Stage, data: object): Promise<Taped> {
  const { recording_id } = { recording_id: "", ...data };
  const response = await fetch(`${stage.gateway.url}/api/v1/recordings/${recording_id}`, {
    headers: stage.gateway.app,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const samples = Math.floor((bytes.length - 44) / 4);
  return { caller: Int16Array.from({ length: samples }, (_, i) => bytes.readInt16LE(44 + 4 * i)) };
}
