/** The line of each operation for the typed client is one that compiles. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import { Book } from "../../scripts/portal/book";
import { client } from "../../scripts/portal/samples";
import { root } from "../project/program";

test("every line for the client compiles against the client", () => {
  const { operations } = new Book(root);
  const names = new Set(
    operations.flatMap(({ policy }) => [...policy.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)),
  );
  const program = [
    `import { createClient } from "${root}/src/client/index";`,
    'const client = createClient({ baseUrl: "", appId: "", apiKey: "" });',
    ...[...names].map((name) => `const ${name}: string = "";`),
    ...operations.map((operation) => `export async function of_${operation.id}() {\n${client(operation)}\n}`),
  ];
  const scratch = mkdtempSync(path.join(tmpdir(), "voicegate-samples-"));
  try {
    const file = path.join(scratch, "samples.ts");
    writeFileSync(file, program.join("\n"));
    const compilerOptions = { noEmit: true, rootDir: "/", typeRoots: [path.join(root, "node_modules/@types")] };
    const config = { extends: path.join(root, "tsconfig.json"), compilerOptions, include: [], files: [file] };
    writeFileSync(path.join(scratch, "tsconfig.json"), JSON.stringify(config));
    const compiler = path.join(root, "node_modules/typescript7/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", scratch, "--pretty", "false"], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  } finally {
    rmSync(scratch, { recursive: true });
  }
});
