import { fileReply } from "./file";
import type { Gateway, TagHandlers } from "./gateway";

export function media({ media }: Gateway): TagHandlers<"media"> {
  return {
    getMediaFile(call) {
      const { file_name } = call.params;
      const found = media.find(file_name);
      if (!found) throw call.error("404 Media file not found");
      return fileReply(call, file_name, found);
    },
  };
}
