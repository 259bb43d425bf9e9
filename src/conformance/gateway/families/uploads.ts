/** Bodies that nobody wants: who sends one hears why, whether he waits to be asked for it or not. */
import type { Check } from "../../check";
import type { Wire, WireResponse } from "../ground/wire";
import { json } from "../requests/raw_requests";
import type { World } from "../world";
import { headOf } from "./raw";
import { expectAnswer, list, put, talk } from "./talk";

const mebibyte = 1024 * 1024;

const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);

/** Sends more than is read, and listens only then: a reset would throw the answer away. */
async function upload(wire: Wire, head: string, part: Buffer, times: number): Promise<WireResponse> {
  wire.write(head);
  wire.socket.pause();
  for (let n = 0; n < times; n += 1) wire.write(part);
  await new Promise((resolve) => wire.socket.write("", resolve));
  wire.socket.resume();
  return wire.answer("POST", "/admin/apps/x");
}

export const uploads: readonly Check<World>[] = [
  talk(
    "too-large-by-length",
    "A body that is said to be too large is refused before a byte of it",
    async (world, wire) => {
      wire.write(put(world, `Content-Length: ${mebibyte + 1}`));
      expectAnswer(await wire.answer("POST", "/admin/apps/x"), "413 Request body too large");
      await wire.closed();
    },
  ),
  talk("upload", "Who sends 4 MiB at once hears 413 when he has sent all", async (world, wire) => {
    const head = put(world, `Content-Length: ${4 * mebibyte}`);
    expectAnswer(await upload(wire, head, Buffer.alloc(mebibyte, " "), 4), "413 Request body too large");
    await wire.closed();
  }),
  talk("upload-in-chunks", "Who sends 4 MiB in chunks hears 413 when he has sent all", async (world, wire) => {
    const part = chunk(Buffer.alloc(mebibyte, " "));
    expectAnswer(await upload(wire, put(world, "Transfer-Encoding: chunked"), part, 4), "413 Request body too large");
    await wire.closed();
  }),
  talk(
    "upload-unasked",
    "Who has no key and sends 1 MiB all the same hears 401 when he has sent all",
    async (world, wire) => {
      const length = mebibyte;
      const head = await list(world, "wrong", json, `Content-Length: ${length}`);
      await world.client.turn({ method: "POST", path: "/api/v1/conferences" });
      wire.write(head);
      wire.socket.pause();
      wire.write(Buffer.alloc(length, " "));
      await new Promise((resolve) => wire.socket.write("", resolve));
      wire.socket.resume();
      expectAnswer(await wire.answer("POST", "/api/v1/conferences"), "401 Invalid API key");
      await wire.closed();
    },
  ),
];

export const expectations: readonly Check<World>[] = [
  talk("continue", "Who expects 100 and may, is asked for his body", async (world, wire) => {
    wire.write(await list(world, null, json, "Expect: 100-continue", "Content-Length: 3"));
    expectAnswer(await wire.answer("POST", "/api/v1/conferences"), "100");
    wire.write("[1]");
    expectAnswer(await wire.answer("POST", "/api/v1/conferences"), "400 Invalid request body");
  }),
  talk("continue-without-a-key", "Who expects 100 without a valid key is refused without it", async (world, wire) => {
    await world.client.turn({ method: "POST", path: "/api/v1/conferences" });
    wire.write(await list(world, "wrong", json, "Expect: 100-continue", "Content-Length: 3"));
    expectAnswer(await wire.answer("POST", "/api/v1/conferences"), "401 Invalid API key");
    await wire.closed();
  }),
  talk("continue-too-large", "Who expects 100 for too large a body is refused without it", async (world, wire) => {
    wire.write(put(world, "Expect: 100-continue", `Content-Length: ${mebibyte + 1}`));
    expectAnswer(await wire.answer("POST", "/admin/apps/x"), "413 Request body too large");
    await wire.closed();
  }),
  talk(
    "continue-of-another-type",
    "Who expects 100 for a body of another type is refused without it",
    async (world, wire) => {
      wire.write(await list(world, null, "Content-Type: text/plain", "Expect: 100-continue", "Content-Length: 3"));
      expectAnswer(await wire.answer("POST", "/api/v1/conferences"), "415 Content-Type must be application/json");
      await wire.closed();
    },
  ),
  talk("continue-nowhere", "Who expects 100 where there is no route is told so without it", async (world, wire) => {
    wire.write(headOf(world)("POST /nowhere HTTP/1.1", "Expect: 100-continue", "Content-Length: 3"));
    expectAnswer(await wire.answer("POST", "/nowhere"), "404 Not found");
    await wire.closed();
  }),
];
