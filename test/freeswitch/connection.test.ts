/** The event socket when it is slow, silent, cut off, or something else altogether. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { FreeswitchEngine } from "../../src/engines/freeswitch/freeswitch";
import { MediaFiles } from "../../src/media/files";
import { silent } from "../engine/place";
import { play, run } from "../engine/suite";
import { Lines } from "./lines";
import { connected, type FreeswitchPlace, openReplayed, timings } from "./place";

const late = { name: "Refused", refusal: "late" };
const unreachable = { name: "Refused", refusal: "unreachable" };
const gone = { name: "Refused", refusal: "gone" };

describe("replies", () => {
  let place: FreeswitchPlace;
  beforeEach(async () => {
    place = await openReplayed({ commandTimeoutMs: 150 });
  });
  afterEach(() => place.close());
  const answered = async (): Promise<string> => {
    const session_uuid = await place.call([]);
    await run(place, "answer", session_uuid, {});
    await place.recorder.event(session_uuid, "answered");
    return session_uuid;
  };

  test("commands of one moment have their replies by their order", async () => {
    const sessions = await Promise.all([answered(), answered(), answered()]);
    const outcomes = await Promise.all(
      sessions.flatMap((id) => [run(place, "stopPlayback", id, {}), run(place, "pausePlayback", id, {})]),
    );
    expect(outcomes).toHaveLength(6);
    for (const { outcome } of outcomes) expect(outcome).toEqual({ failure: "No active playback" });
  });

  test("one that does not come is late; the next command has its own reply, and not that one", async () => {
    const session_uuid = await answered();
    let held: string | null = null;
    place.replay.intercept = (command) => {
      if (!command.startsWith("api uuid_kill")) return undefined;
      held = command;
      return null;
    };
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject(late);
    expect(held).toContain("USER_BUSY");
    // The server owes a reply, and says so in front of the next one.
    place.replay.intercept = (command) => {
      place.replay.intercept = () => undefined;
      return command.startsWith("api") ? `${reply("+OK")}${reply("-ERR No such channel!\n")}` : undefined;
    };
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject(gone);
    expect(place.engine.connected()).toBe(true);
  });

  test("one to nothing ends the connection, and the next one takes up the calls", async () => {
    const session_uuid = await answered();
    place.replay.intercept = () => `${reply("+OK")}${reply("+OK")}`;
    await run(place, "stopPlayback", session_uuid, {}).catch(() => undefined);
    place.replay.intercept = () => undefined;
    await connected(place.engine);
    expect((await run(place, "stopPlayback", session_uuid, {})).outcome).toEqual({ failure: "No active playback" });
    expect(place.recorder.types(session_uuid)).toEqual(["answered"]);
  });

  test("one of another kind than its command's ends the connection as well", async () => {
    const session_uuid = await answered();
    place.replay.intercept = () => commandReply("+OK");
    await expect(run(place, "stopPlayback", session_uuid, {})).rejects.toMatchObject(unreachable);
    place.replay.intercept = () => undefined;
    await connected(place.engine);
    expect((await run(place, "stopPlayback", session_uuid, {})).outcome).toEqual({ failure: "No active playback" });
  });

  test("-ERR to anything: the call goes on, and says of each command that it failed", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => {
      if (command.startsWith("api global_getvar")) return undefined;
      return command.startsWith("api") ? reply("-ERR no reply\n") : commandReply("-ERR invalid session id [x]");
    };
    const { operation_id } = await play(place, session_uuid, place.files.tone(100));
    await place.recorder.event(session_uuid, "failed");
    expect(place.recorder.of(session_uuid).at(-1)).toMatchObject({ type: "failed", operation_id });
    await expect(run(place, "disconnect", session_uuid, {})).rejects.toThrow();
    place.replay.intercept = () => undefined;
    await play(place, session_uuid, place.files.tone(60));
    expect(await place.recorder.event(session_uuid, "playback.stopped")).toMatchObject({ reason: "completed" });
  });

  test("a playback that is taken and never begins is late, and taken back", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => (command.startsWith("sendmsg") ? commandReply("+OK") : undefined);
    const { operation_id } = await play(place, session_uuid, place.files.tone(100));
    const failed = await place.recorder.event(session_uuid, "failed");
    expect(failed).toMatchObject({ operation_id, error: "Media server timed out" });
    while (!/^api uuid_break [0-9a-f-]+ all$/.test(place.replay.commands.at(-1) ?? "")) await delay(1);
  });
});

describe("a connection that ends", () => {
  let place: FreeswitchPlace;
  const lines = new Lines();
  beforeEach(async () => {
    place = await openReplayed({ log: lines.log, commandTimeoutMs: 300 });
  });
  afterEach(() => place.close());
  const answered = async (): Promise<string> => {
    const session_uuid = await place.call([]);
    await run(place, "answer", session_uuid, {});
    await place.recorder.event(session_uuid, "answered");
    return session_uuid;
  };

  test("in the middle of a frame: the next one finds what the frame would have told", async () => {
    const session_uuid = await answered();
    place.replay.cutNextEventAt = 400;
    place.channel(session_uuid).hangup("NORMAL_CLEARING", "bye");
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({
      cause: "MEDIA_SERVER_LOST",
      lost: true,
    });
  });

  test("what waits for a reply is refused at once, and so is what comes before the next connection", async () => {
    const session_uuid = await answered();
    place.replay.intercept = (command) => {
      if (command.startsWith("api uuid_kill")) place.replay.drop();
      return null;
    };
    await expect(run(place, "hangup", session_uuid, { cause: "USER_BUSY" })).rejects.toMatchObject(unreachable);
    await expect(run(place, "stopPlayback", session_uuid, {})).rejects.toMatchObject(unreachable);
    place.replay.intercept = () => undefined;
    await connected(place.engine);
    await run(place, "hangup", session_uuid, { cause: "USER_BUSY" });
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "USER_BUSY", by: "app" });
  });

  test("by a frozen server: after a while of silence it is asked, and left when it does not answer", async () => {
    const before = lines.count("FreeSWITCH is connected");
    place.replay.intercept = (command) => (command.startsWith("api global_getvar") ? null : undefined);
    while (lines.count('"why":"silent"') === 0) await delay(20);
    place.replay.intercept = () => undefined;
    await connected(place.engine);
    expect(lines.count("FreeSWITCH is connected")).toBeGreaterThan(before);
  }, 30_000);

  test("by an orderly shut-down: each call has ended with it", async () => {
    const session_uuid = await answered();
    const ringing = await place.call([]);
    place.replay.shutDown();
    const end = { cause: "SYSTEM_SHUTDOWN", q850_cause: 16, by: "media_server" };
    expect(await place.recorder.event(session_uuid, "hangup")).toMatchObject({ ...end, sip_status: null });
    expect(await place.recorder.event(ringing, "hangup")).toMatchObject({ ...end, sip_status: 480 });
    while (lines.count("The system is being shut down.") === 0) await delay(1);
    await connected(place.engine);
  });
});

describe("what is on the port", () => {
  let server: Server;
  let engine: FreeswitchEngine;
  const media = new MediaFiles({ allowLocalhost: true, log: silent });
  const open = async (greet: (socket: Socket) => void, lines: Lines, password = "s3cret-word"): Promise<void> => {
    server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      greet(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const place = { node: "fs1", host: "127.0.0.1", port, password };
    engine = new FreeswitchEngine({
      ...place,
      commandTimeoutMs: 200,
      recordingMaxMs: 1000,
      media,
      timings,
      log: lines.log,
    });
    engine.reads(true);
    await engine.start({
      offer: async () => "accepted",
      emit: () => undefined,
      emitRoom: () => undefined,
      survivors: async () => ({ calls: [], rooms: [] }),
    });
  };
  afterEach(async () => {
    await engine.close();
    server.close();
  });
  const request = "Content-Type: auth/request\n\n";
  const tellsOf = async (lines: Lines, text: string): Promise<void> => {
    while (lines.count(text) === 0) await delay(5);
  };

  test.each([
    ["SSH", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
    ["SIP", "SIP/2.0 400 Bad Request\r\n\r\n"],
    ["an event socket's frame that is no greeting", "Content-Type: command/reply\nReply-Text: +OK\n\n"],
    ["a frame of 50 MB", `${request}Content-Type: api/response\nContent-Length: 52428800\n\n`],
  ])("%s: said once in the log, and tried again slowly", async (_, banner) => {
    const lines = new Lines();
    let tries = 0;
    await open((socket) => {
      tries++;
      socket.write(banner);
    }, lines);
    while (tries < 3) await delay(5);
    expect(lines.count("is no event socket")).toBe(1);
    expect(engine.connected()).toBe(false);
  });

  test("a wrong password is said once, clearly and without it", async () => {
    const lines = new Lines();
    let tries = 0;
    await open((socket) => {
      socket.write(request);
      socket.once("data", () => {
        tries++;
        socket.end(`Content-Type: command/reply\nReply-Text: -ERR invalid\n\n`);
      });
    }, lines);
    while (tries < 3) await delay(5);
    expect(lines.count("refuses the password")).toBe(1);
    expect(lines.text).not.toContain("s3cret-word");
  });

  test("a password that no line can hold is wrong, and sent nowhere", async () => {
    const lines = new Lines();
    const said: string[] = [];
    await open(
      (socket) => {
        socket.write(request);
        socket.on("data", (bytes) => said.push(bytes.toString()));
      },
      lines,
      "two\nlines",
    );
    await tellsOf(lines, "refuses the password");
    expect(said).toEqual([]);
  });

  test("an address that is not allowed", async () => {
    const lines = new Lines();
    await open((socket) => {
      socket.end("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n");
    }, lines);
    await tellsOf(lines, "refuses this address");
  });

  test("nobody", async () => {
    const lines = new Lines();
    await open((socket) => socket.destroy(), lines);
    server.close();
    await tellsOf(lines, "ECONNREFUSED");
    expect(engine.connected()).toBe(false);
    await expect(engine.openRoom("fs1-room-x")).rejects.toMatchObject(unreachable);
  });
});

const reply = (body: string): string => `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`;
const commandReply = (text: string): string => `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
