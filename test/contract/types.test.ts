import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "@jest/globals";

const root = process.cwd();
const source = readFileSync(join(root, "test/contract/proofs.ts"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "voicegate-types-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Lines of the text that the compiler of the project complains about. */
function complaints(name: string, text: string): number[] {
  const file = join(scratch, `${name}.ts`);
  writeFileSync(file, text.replaceAll('"../../src/', `"${root}/src/`));
  const config = join(scratch, `${name}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { noEmit: true, rootDir: "/", typeRoots: [join(root, "node_modules/@types")] },
      include: [],
      files: [file],
    }),
  );
  const compiler = resolve(root, "node_modules/typescript7/bin/tsc");
  const run = spawnSync(process.execPath, [compiler, "-p", config, "--pretty", "false"], { encoding: "utf8" });
  const places = [...run.stdout.matchAll(/^(\S+)\((\d+),\d+\): error/gm)];
  const elsewhere = places.filter(([, place]) => !place?.endsWith(`${name}.ts`));
  if ((run.status !== 0 && places.length === 0) || elsewhere.length > 0) throw new Error(run.stdout + run.stderr);
  return [...new Set(places.map(([, , line]) => Number(line)))].sort((a, b) => a - b);
}

const lines = source.split("\n");
const expected = lines.flatMap((line, index) => (line.includes("// @ts-expect-error") ? [index + 2] : []));

test("the proofs compile", () => {
  expect(complaints("kept", source)).toEqual([]);
});

test("without its directive each proof is refused, and nothing else", () => {
  expect(expected.length).toBeGreaterThan(20);
  const bare = source.replaceAll("// @ts-expect-error", "// expected:");
  expect(complaints("bare", bare)).toEqual(expected);
});

test("a directive that is not needed is refused", () => {
  const line = lines.indexOf("export const general: Call<CommandId> = answer;") + 1;
  const text = lines.toSpliced(line - 1, 0, "// @ts-expect-error").join("\n");
  expect(complaints("needless", text)).toEqual([line]);
});
