/** A file that the gateway serves to media servers, because a room plays it again and again. */
import { mkdir, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { TestGateway } from "../gateway";
import { done, type Place, ready } from "./ready";

const filesOf = async ({ media }: TestGateway): Promise<string[]> =>
  (await readdir(media ?? "", { recursive: true })).filter((name) => name.endsWith(".wav"));

/** @returns where it lies; its name is the end of that */
export async function playedFile(place: Place): Promise<string> {
  const { gateway } = place;
  const before = await filesOf(gateway);
  await done("playRoom", place, await ready("playRoom", place), { loop: true });
  const [file, ...others] = (await filesOf(gateway)).filter((name) => !before.includes(name));
  if (file === undefined || others.length > 0) throw new Error(`${others.length} files more than one`);
  return path.join(gateway.media ?? "", file);
}

/** One that cannot be read. @returns where it should lie */
export async function spoiledFile(place: Place): Promise<string> {
  const file = await playedFile(place);
  await rm(file);
  await mkdir(file);
  return file;
}
