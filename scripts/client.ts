/**
 * src/client → the two files of `voicegate/client`, one for `import` and one for `require`, with nothing left to import,
 * and their declarations. Run from the root of the project; writes into dist/client, or into the folder that is named.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";

const formats = { esm: "client.mjs", cjs: "client.cjs" } as const;
const declarations = ["client.d.mts", "client.d.cts"];

/**
 * @param root of the project, with its sources
 * @param folder where the files go; those that a program may read at this moment are replaced at once
 */
async function buildClient(root: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const bundles = Object.entries(formats).map(([format, name]) =>
    bundle(root, format as keyof typeof formats, path.join(folder, name)),
  );
  await Promise.all([...bundles, declare(root, path.join(folder, "types")), license(root, folder)]);
  // The declarations are those of a CommonJS package; both ways of importing it may name them.
  for (const name of declarations)
    await replace(path.join(folder, name), 'export * from "./types/src/client/index.js";\n');
}

async function bundle(root: string, format: keyof typeof formats, file: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/client/index.ts"],
    bundle: true,
    format,
    // Neither Node's modules nor a browser's globals are taken for granted.
    platform: "neutral",
    target: "es2022",
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
  });
  const [output] = outputFiles;
  if (!output) throw new Error("esbuild wrote nothing");
  await replace(file, output.text);
}

/** As the project is compiled, but for what is written. */
async function declare(root: string, folder: string): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), "voicegate-client-"));
  const config = path.join(scratch, "tsconfig.json");
  const compilerOptions = {
    noCheck: true,
    declaration: true,
    emitDeclarationOnly: true,
    sourceMap: false,
    rootDir: root,
    outDir: folder,
    typeRoots: [path.join(root, "node_modules/@types")],
  };
  const files = [path.join(root, "src/client/index.ts")];
  try {
    await writeFile(
      config,
      JSON.stringify({ extends: path.join(root, "tsconfig.json"), compilerOptions, include: [], files }),
    );
    await promisify(execFile)(process.execPath, [path.join(root, "node_modules/typescript7/bin/tsc"), "-p", config]);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** What is bundled with it is somebody else's work. */
async function license(root: string, folder: string): Promise<void> {
  await copyFile(path.join(root, "node_modules/openapi-fetch/LICENSE"), path.join(folder, "openapi-fetch.LICENSE"));
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

const root = process.cwd();
buildClient(root, path.resolve(process.argv[2] ?? "dist/client")).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
