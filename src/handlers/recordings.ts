import { command } from "./command";
import { fileReply } from "./file";
import type { Gateway, TagHandlers } from "./gateway";

export function recordings(gateway: Gateway): TagHandlers<"recordings"> {
  const { recordings } = gateway;

  return {
    startRecording: command(gateway),
    stopRecording: command(gateway),

    async getRecording(call) {
      const found = await recordings.find(call.app.app_id, call.params.recording_id);
      if (!found) throw call.error("404 Recording not found");
      // What can be fetched never changes again.
      return fileReply(call, found.recording_id, found);
    },

    async deleteRecording(call) {
      if (!(await recordings.remove(call.app.app_id, call.params.recording_id)))
        throw call.error("404 Recording not found");
      return { status: 204 };
    },
  };
}
