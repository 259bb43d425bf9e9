import { askedRange } from "../recordings/range";
import { command } from "./command";
import type { Gateway, TagHandlers } from "./gateway";

export function recordings(gateway: Gateway): TagHandlers<"recordings"> {
  const { recordings } = gateway;

  return {
    startRecording: command(gateway),
    stopRecording: command(gateway),

    async getRecording(call) {
      const found = await recordings.find(call.app.app_id, call.params.recording_id);
      if (!found) throw call.error("404 Recording not found");
      const { recording_id, bytes } = found;
      // What can be fetched never changes again.
      const etag = `"${recording_id}"`;
      const range = askedRange(call.headers?.Range, call.headers?.["If-Range"], etag, bytes);
      if (range === "unsatisfiable") throw call.error("416 Range not satisfiable");
      const { first, last } = range === "whole" ? { first: 0, last: bytes - 1 } : range;
      const headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        ETag: etag,
        "Content-Length": String(last + 1 - first),
      };
      const body = found.read(first, last);
      if (range === "whole") return { status: 200, headers, body };
      return { status: 206, headers: { ...headers, "Content-Range": `bytes ${first}-${last}/${bytes}` }, body };
    },

    async deleteRecording(call) {
      if (!(await recordings.remove(call.app.app_id, call.params.recording_id)))
        throw call.error("404 Recording not found");
      return { status: 204 };
    },
  };
}
