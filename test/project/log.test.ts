/** Lines are written together, and yet none is lost however a process ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { expect, test } from "@jest/globals";

const log = path.join(__dirname, "../../src/log.js");

/** What a program with a log has written, read by a reader who takes his time when `late`. */
async function written(program: string, late = false): Promise<{ text: string; code: number }> {
  const source = `const log = require(${JSON.stringify(log)}).createLog("info"); ${program}`;
  const child = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "pipe"] });
  // Its last word before it writes.
  if (late) await once(child.stderr, "data");
  else child.stderr.resume();
  const exit = once(child, "exit");
  const text = Buffer.concat(await child.stdout.toArray()).toString("utf8");
  const [code] = await exit;
  return { text, code };
}

const messages = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).msg);

test("what was written before the end of the process is there, whatever ended it", async () => {
  const two = 'log.info({ a: 1 }, "one"); log.warn({}, "two");';
  expect(messages((await written(two)).text)).toEqual(["one", "two"]);
  expect(messages((await written(`${two} process.exit(3);`)).text)).toEqual(["one", "two"]);
  expect(messages((await written(`${two} throw new Error("x");`)).text)).toEqual(["one", "two"]);
  const later = `setImmediate(() => { ${two} throw new Error("x"); });`;
  expect(messages((await written(later)).text)).toEqual(["one", "two"]);
});

test("a reader who is slow gets every line, also from a pipe that does not block", async () => {
  const many = 'process.stderr.write("x"); for (let i = 0; i < 5000; i++) log.info({}, "y".repeat(100));';
  for (const before of ["", 'process.stdout.write("");']) {
    const { text, code } = await written(`${before} ${many} process.exit(0);`, true);
    expect([messages(text).length, code]).toEqual([5000, 0]);
  }
});

test("a reader who is gone does not end the process", async () => {
  const program =
    'const timer = setInterval(() => log.info({}, "tick"), 5); setTimeout(() => clearInterval(timer), 100);';
  const source = `const log = require(${JSON.stringify(log)}).createLog("info"); ${program}`;
  const child = spawn(process.execPath, ["-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.stdout.destroy();
  expect(await once(child, "exit")).toEqual([0, null]);
});
