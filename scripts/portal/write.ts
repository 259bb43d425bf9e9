/** Writes what the gateway serves: every file by brotli and by gzip in one pack, and the list of them. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { type Entry, list, type Place, pack } from "../../src/portal/portal";
import { digest, type File } from "./assets";

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

/** Further steps cost ten times as long and save few hundred bytes. */
const quality = 9;
/** 64 KiB, as much as a page has: with the usual 4 MiB most of the time goes into memory that is never used. */
const window = 16;

/** @param folder is replaced as a whole, so that a gateway that starts meanwhile has one or the other */
export async function write(folder: string, files: readonly File[]): Promise<void> {
  const compressed = await Promise.all(
    files.map(async (file) => {
      const bytes = Buffer.from(file.text);
      const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: window };
      return { file, both: await Promise.all([brotli(bytes, { params }), gzipped(bytes)]) };
    }),
  );
  const parts: Buffer[] = [];
  let end = 0;
  const place = (bytes: Buffer): Place => {
    parts.push(bytes);
    end += bytes.length;
    return [end - bytes.length, bytes.length];
  };
  const entries = compressed.map(({ file: { path: name, type, text }, both: [br, gz] }): Entry => {
    return { path: name, type, digest: digest(text), br: place(br), gzip: place(gz) };
  });
  const scratch = `${folder}-${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  writeFileSync(path.join(scratch, pack), Buffer.concat(parts));
  writeFileSync(path.join(scratch, list), `${JSON.stringify(entries)}\n`);
  rmSync(folder, { recursive: true, force: true });
  renameSync(scratch, folder);
}
