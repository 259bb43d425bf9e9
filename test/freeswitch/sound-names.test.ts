/** A FreeSWITCH without the folder of media files fetches them by HTTP, where the gateway has an address for them. */
import { describe, expect, test } from "@jest/globals";
import { SoundNames } from "../../src/engines/freeswitch/sound_names";
import { Lines } from "./lines";

const path = "/var/cache/voicegate/a1.wav";
const url = "http://10.0.0.1:8080/media/a1.wav";
const samples = 8000;

describe("names of sounds", () => {
  const tried: string[] = [];
  const finds = (known: RegExp) => async (name: string) => {
    tried.push(name);
    return known.test(name);
  };
  const lines = new Lines();
  const names = new SoundNames(lines.log);

  test("first by the path; what was found last time comes first the next time", async () => {
    const sound = { path, url, samples };
    expect(await names.find(sound, 0, finds(/^http/))).toBe(true);
    expect(await names.find(sound, 0, finds(/^http/))).toBe(true);
    expect(await names.find(sound, 0, finds(/^\//))).toBe(true);
    expect(await names.find(sound, 0, finds(/^\//))).toBe(true);
    expect(tried.splice(0)).toEqual([path, url, url, url, path, path]);
  });

  test("neither", async () => {
    expect(await names.find({ path, url, samples }, 0, finds(/never/))).toBe(false);
    expect(await names.find({ path, samples }, 0, finds(/never/))).toBe(false);
    expect(tried.splice(0)).toEqual([path, url, path]);
  });

  test("silence is what is left of it", async () => {
    expect(await names.find({ silence_ms: 5000 }, 1500, finds(/./))).toBe(true);
    expect(tried.splice(0)).toEqual(["silence_stream://3500"]);
  });

  test("a folder with a name that FreeSWITCH would take apart is told of, and not tried", async () => {
    expect(await names.find({ path: "/my media/a.wav", url: "http://h/a b.wav", samples }, 0, finds(/./))).toBe(false);
    expect(tried).toEqual([]);
    expect(lines.count("a media file has a name that FreeSWITCH would not read as one")).toBe(2);
  });
});
