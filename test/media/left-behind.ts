/** A process that opens the media file it is told in the directory it is told, says so, and waits to be killed. */
import { createLog } from "../../src/log";
import { MediaFiles } from "../../src/media/files";

const [, , directory = "", url = ""] = process.argv;
const files = new MediaFiles({ allowLocalhost: true, directory, log: createLog("silent") });
files
  .start()
  .then(() => files.share().open(url))
  .then(() => process.send?.("opened"));
process.on("disconnect", () => process.exit(0));
