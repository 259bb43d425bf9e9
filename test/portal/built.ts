/** Before any test: the documentation is built, as compiling it by npm does. What is there is taken as it is. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { list } from "../../src/portal/portal";

/** Compiled tests lie in dist/test/portal. */
const dist = path.join(__dirname, "../..");

export default function build(): void {
  if (existsSync(path.join(dist, "portal", list))) return;
  execFileSync(process.execPath, [path.join(dist, "scripts/portal.js")], { stdio: "inherit" });
}
