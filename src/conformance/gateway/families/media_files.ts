/** Files that are fetched for a playback: what can be wrong with them, what is kept, and where they may lie. */
import type { Check } from "../../check";
import type { KitCall } from "../ground/app";
import { expectFields, expectSame, expectThat } from "../ground/expectation";
import { onCallWithSounds } from "../ground/on_call";
import type { Sounds } from "../ground/sounds";
import type { World } from "../world";

const clause = "media files";

/** Each way in which a file cannot be played, by the reason that is told. */
const failures: readonly [reason: string, url: (sounds: Sounds) => string][] = [
  ["not_found", (sounds) => sounds.missing()],
  ["unsupported_format", (sounds) => sounds.text()],
  ["too_large", (sounds) => sounds.huge()],
  ["forbidden_address", (sounds) => sounds.forbidden()],
  ["unreachable", (sounds) => sounds.unreachable()],
];

/** Plays these, and waits for the end. */
async function played(call: KitCall, urls: readonly string[], uid: string): Promise<void> {
  const after = call.events.at(-1)?.sequence ?? 0;
  await call.doneInTime("startPlayback", { command_uid: uid, urls });
  await call.event("playback.stopped", after);
}

export const mediaFiles: readonly Check<World>[] = [
  ...failures.map(([reason, url]) =>
    onCallWithSounds({
      id: `files/${reason}`,
      title: `A file that cannot be played for ${reason} is told of, and the rest of the list is played`,
      clause: "playback.file_not_found",
      async run({ call, sounds }) {
        const bad = url(sounds);
        const urls = [sounds.tone(100), bad, sounds.tone(60)];
        await played(call, urls, "list");
        const told = call.named("playback.file_not_found").map(({ data }) => data);
        expectSame("playback.file_not_found", told, [{ command_uid: "list", url: bad, reason }], { of: call });
        const [stopped] = call.named("playback.stopped");
        expectFields("playback.stopped", stopped?.data ?? {}, { urls, reason: "completed" }, { of: call });
      },
    }),
  ),
  onCallWithSounds({
    id: "files/none",
    title: "When no file of a list can be played, each is told of, the command failed, and nothing has begun",
    clause: "No file could be played",
    async run({ call, sounds }) {
      const urls = [sounds.missing(), sounds.text(), sounds.missing()];
      const { data, sequence } = await call.result("startPlayback", { command_uid: "list", urls });
      const wanted = { success: false, error: "No file could be played", code: "no_file_could_be_played" };
      expectFields("the result", data, wanted, { of: call });
      const told = call.named("playback.file_not_found");
      expectSame(
        "the files",
        told.map(({ data }) => data.url),
        urls,
        { of: call },
      );
      expectThat(
        told.every((each) => each.sequence < sequence),
        "the files before the result",
        "after it",
        { of: call },
      );
      await call.hangup();
      const begun = [...call.named("playback.started"), ...call.named("playback.stopped")];
      expectSame(
        "beginnings and ends",
        begun.map(({ event }) => event),
        [],
        { of: call },
      );
    },
  }),
  onCallWithSounds({
    id: "files/redirects",
    title: "Three redirects are followed",
    clause,
    async run({ call, sounds }) {
      const url = sounds.redirected(3, 60);
      await played(call, [url], "far");
      expectSame(
        "playback.file_not_found",
        call.named("playback.file_not_found").map(({ data }) => data),
        [],
        { of: call },
      );
    },
  }),
  onCallWithSounds({
    id: "files/redirects-too-many",
    title: "Four redirects are not",
    clause,
    async run({ call, sounds }) {
      const { data } = await call.result("startPlayback", { urls: [sounds.redirected(4, 60)] });
      expectFields("the result", data, { success: false, error: "No file could be played" }, { of: call });
    },
  }),
  onCallWithSounds({
    id: "files/kept",
    title: "A file that may be kept is fetched once",
    clause: "media files: cached by the rules of HTTP",
    async run({ call, sounds }) {
      const url = sounds.own(60, { "Cache-Control": "max-age=600" });
      for (const uid of ["one", "two"]) await played(call, [url], uid);
      expectSame("how often it was fetched:", sounds.asked(url), 1, { of: call });
    },
  }),
  onCallWithSounds({
    id: "files/not-kept",
    title: "A file that must not be kept is fetched for each playback",
    clause: "media files: cached by the rules of HTTP",
    async run({ call, sounds }) {
      const url = sounds.own(60, { "Cache-Control": "no-store" });
      for (const uid of ["one", "two"]) await played(call, [url], uid);
      expectSame("how often it was fetched:", sounds.asked(url), 2, { of: call });
    },
  }),
];
