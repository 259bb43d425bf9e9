/** Styles and scripts, each in one small file whose name has its digest. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { build, transform } from "esbuild";

/** A file of the portal before it is written. */
export interface File {
  /** Below `/docs`. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

const javascript = "text/javascript; charset=utf-8";

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

export function asset(name: string, ending: string, type: string, text: string): File {
  return { path: `/assets/${name}-${digest(text)}.${ending}`, type, text };
}

/** @param name of a file in src/portal/browser, with everything that it imports */
export async function script(root: string, name: string, format: "esm" | "iife" = "esm"): Promise<File> {
  const { outputFiles } = await build({
    entryPoints: [path.join(root, `src/portal/browser/${name}.ts`)],
    bundle: true,
    minify: true,
    write: false,
    format,
    target: "es2022",
    // Not that of the program, which knows no browser.
    tsconfig: path.join(root, "src/portal/browser/tsconfig.json"),
    logLevel: "silent",
  });
  return asset(name, "js", javascript, outputFiles[0]?.text ?? "");
}

/** The search with its index in it, so that one request brings both. */
export async function searchScript(root: string, index: string): Promise<File> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { Index } from "./search";\nexport const index = new Index(${JSON.stringify(index)});\n`,
      resolveDir: path.join(root, "src/portal/browser"),
      loader: "ts",
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    tsconfig: path.join(root, "src/portal/browser/tsconfig.json"),
    logLevel: "silent",
  });
  return asset("search", "js", javascript, outputFiles[0]?.text ?? "");
}

export async function style(root: string): Promise<File> {
  const source = readFileSync(path.join(root, "src/portal/style.css"), "utf8");
  const { code } = await transform(source, { loader: "css", minify: true });
  return asset("style", "css", "text/css; charset=utf-8", code);
}

export function icon(root: string): File {
  const text = readFileSync(path.join(root, "src/portal/icon.svg"), "utf8");
  return asset("icon", "svg", "image/svg+xml", text);
}
