/** A process that opens its media files in the directory it is told, says so, and waits to be killed. */
import { createLog } from "../../src/log";
import { MediaFiles } from "../../src/media/files";

const files = new MediaFiles({ allowLocalhost: true, directory: process.argv[2] ?? "", log: createLog("silent") });
files.start().then(() => process.send?.("started"));
process.on("disconnect", () => process.exit(0));
