/** `voicegate/client` as it is shipped, in a folder that other programs can be put into. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { root } from "../project/program";

export const run = promisify(execFile);

export interface BuiltClient {
  /** With `voicegate` among its node_modules. */
  readonly folder: string;
  /** The file for `import`, and the one for `require`. */
  readonly esm: string;
  readonly cjs: string;
  remove(): Promise<void>;
}

export async function buildClient(): Promise<BuiltClient> {
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-client-"));
  const installed = path.join(folder, "node_modules/voicegate");
  const files = path.join(installed, "dist/client");
  await mkdir(files, { recursive: true });
  await copyFile(path.join(root, "package.json"), path.join(installed, "package.json"));
  await run(process.execPath, ["dist/scripts/client.js", files], { cwd: root });
  return {
    folder,
    esm: path.join(files, "client.mjs"),
    cjs: path.join(files, "client.cjs"),
    remove: () => rm(folder, { recursive: true }),
  };
}
