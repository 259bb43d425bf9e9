import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { type Catalogue, type Document, SpecError } from "./document";

/**
 * Reads openapi/ below `root`: the document with everything that another file holds brought into `components`, and the
 * catalogue of errors.
 */
export async function readSource(root: string): Promise<{ document: Document; catalogue: Catalogue }> {
  const scratch = mkdtempSync(join(tmpdir(), "voicegate-spec-"));
  try {
    const bundle = join(scratch, "bundle.json");
    await redocly(["bundle", join(root, "openapi/openapi.yaml"), "--output", bundle]);
    const document: Document = JSON.parse(readFileSync(bundle, "utf8"));
    return { document, catalogue: readCatalogue(join(root, "openapi/errors.yaml")) };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function readCatalogue(file: string): Catalogue {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new SpecError(`openapi/errors.yaml: ${error instanceof Error ? error.message : error}`);
  }
}

/** Runs the redocly of this installation without telemetry; what it says when it fails becomes the error. */
function redocly(args: readonly string[]): Promise<void> {
  const program = join(require.resolve("@redocly/cli/package.json"), "../bin/cli.js");
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", NO_COLOR: "1" };
  return new Promise((done, fail) => {
    execFile(process.execPath, [program, ...args], { env, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error) fail(new SpecError(`redocly ${args[0]} failed:\n${stdout || stderr}`));
      else done();
    });
  });
}

/** The checks of redocly on the finished document; the rules are in redocly.yaml. */
export async function lintBundle(root: string, text: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "voicegate-spec-"));
  try {
    const file = join(scratch, "openapi.json");
    writeFileSync(file, text);
    await redocly(["lint", file, "--config", join(root, "redocly.yaml"), "--format", "stylish"]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
