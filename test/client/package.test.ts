/** What `npm pack` makes, installed into an empty folder as a user would, and used there. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Program, root } from "../project/program";
import { run } from "./built";

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

let folder: string;
let packed: Packed;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "voicegate-package-"));
  await run(process.execPath, ["dist/scripts/client.js"], { cwd: root });
  // Its scripts would compile the project anew, under the feet of other tests.
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: root,
  });
  const [first]: readonly Packed[] = JSON.parse(stdout);
  if (!first) throw new Error(stdout);
  packed = first;
  await writeFile(path.join(folder, "package.json"), '{ "private": true }');
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock"];
  await run("npm", ["install", ...quiet, path.join(folder, packed.filename)], { cwd: folder });
}, 120_000);

afterAll(() => rm(folder, { recursive: true }));

test("it has what runs, and nothing else", () => {
  const files = packed.files.map(({ path: file }) => file);
  const meant =
    /^(?:dist\/(?:src|generated|client|portal)\/|generated\/\w+\.json$|package\.json$|README\.md$|LICENSE$)/;
  expect(files.filter((file) => !meant.test(file) || /\.(?:map|new)$|test|fixture/.test(file))).toEqual([]);
  const needed = [
    "dist/src/cli/voicegate.js",
    "dist/client/client.mjs",
    "dist/client/client.cjs",
    "generated/openapi.json",
  ];
  if (existsSync(path.join(root, "dist/portal"))) needed.push("dist/portal/portal.json");
  expect(needed.filter((file) => !files.includes(file))).toEqual([]);
  expect(packed.unpackedSize).toBeLessThan(8e6);
});

test("the client can be imported and required", async () => {
  const use = `console.log(typeof client.createClient({ baseUrl: "http://localhost", adminApiKey: "k" }).getHealth)`;
  const ways = {
    "use.mjs": `import * as client from "voicegate/client"; ${use}`,
    "use.cjs": `const client = require("voicegate/client"); ${use}`,
  };
  for (const [name, text] of Object.entries(ways)) {
    await writeFile(path.join(folder, name), text);
    expect((await run(process.execPath, [name], { cwd: folder })).stdout).toBe("function\n");
  }
});

test.each([
  ["node16", "node16", ["mts", "cts"]],
  ["bundler", "esnext", ["ts"]],
])("its types hold what they promise, found by %s", async (moduleResolution, module, kinds) => {
  const place = path.join(folder, moduleResolution);
  await mkdir(place);
  const [, readme = ""] = /^```ts\n([\s\S]*?)^```$/m.exec(await readFile(path.join(root, "README.md"), "utf8")) ?? [];
  const written = await readFile(path.join(root, "test/client/proofs.ts"), "utf8");
  const proofs = written.replaceAll('"../../src/client"', '"voicegate/client"');
  expect(readme).toContain("voicegate/client");
  // Without its directive each line is refused, and no other.
  const bare = proofs.replaceAll("// @ts-expect-error", "// refused:");
  const lines = bare.split("\n").flatMap((line, index) => (line.includes("// refused:") ? [index + 2] : []));
  const texts = Object.entries({ proofs, readme, bare });
  const files = texts.flatMap(([name]) => kinds.map((kind) => `${name}.${kind}`));
  for (const [name, text] of texts)
    for (const kind of kinds) await writeFile(path.join(place, `${name}.${kind}`), text);
  // Web types, and none of Node's: what the declarations need is there in both.
  const lib = ["es2023", "dom", "dom.iterable"];
  const compilerOptions = { strict: true, noEmit: true, target: "es2022", module, moduleResolution, lib, types: [] };
  await writeFile(path.join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const compiler = path.join(root, "node_modules/typescript7/bin/tsc");
  const compiling = run(process.execPath, [compiler, "-p", place, "--pretty", "false"]);
  const { stdout } = await compiling.catch((error: { stdout: string }) => error);
  const places = [...stdout.matchAll(/^(\S+)\((\d+),\d+\): error/gm)].map(
    ([, file = "", line]) => `${path.basename(file)}:${line}`,
  );
  const expected = kinds.flatMap((kind) => lines.map((line) => `bare.${kind}:${line}`));
  expect([...new Set(places)].sort()).toEqual(expected.sort());
});

test("voicegate dev starts there, and answers", async () => {
  // Who runs the suite by npx has it tell ours which package it is to take.
  const script = `unset npm_config_package; cd ${folder} && exec npx --no-install voicegate dev`;
  const development = new Program("sh", ["-c", script], { PORT: "0", SIP_PORT: "0" });
  try {
    const [, url = ""] = await development.prints(/API +(http:\/\/\S+)/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/openapi.json`)).status).toBe(200);
  } finally {
    development.interrupt();
    await development.ended();
  }
}, 60_000);
