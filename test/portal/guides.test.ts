/** The guides do what they say: each block marked `sh run` is run as it stands, and answers what stands below it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pasted } from "../project/pasted";
import { Program, root } from "../project/program";

interface Block {
  readonly lines: string;
  /** What its last line prints. */
  readonly answer: string | null;
}

const folder = path.join(root, "src/portal/guides");
const guides = readdirSync(folder).map((file) => ({
  file,
  blocks: blocksOf(readFileSync(path.join(folder, file), "utf8")),
}));

function blocksOf(text: string): Block[] {
  const pattern = /^```sh run\n([\s\S]*?)^```\n(?:\n```json answer\n([\s\S]*?)^```\n)?/gm;
  return [...text.matchAll(pattern)].map(([, lines = "", answer]) => ({ lines, answer: answer ?? null }));
}

/** The same fields, and the same values of those that no call has for itself. */
function alike(json: string): object {
  const { operation_id: _, detail, ...rest }: Record<string, unknown> = JSON.parse(json);
  return { ...rest, fields: Object.keys(JSON.parse(json)), detail: Object.keys(detail ?? {}) };
}

const end = "-- end of block --";
let development: Program;
let url: string;

beforeAll(async () => {
  development = new Program("node", ["dist/src/cli/voicegate.js", "dev"], { PORT: "0", SIP_PORT: "0" });
  url = (await development.prints(/API +(http:\/\/\S+)/))[1] ?? "";
  await development.prints(/Ctrl-C stops it/);
});

afterAll(async () => {
  development.interrupt();
  await development.ended();
});

test("development mode says where the documentation is", () => {
  expect(development.output).toContain(`docs        ${url}/docs\n`);
});

describe("each guide", () => {
  test.concurrent.each(guides.filter(({ blocks }) => blocks.length > 0))("$file", async ({ blocks }) => {
    const script = blocks.map(({ lines }) => `${lines}\necho; echo '${end}'`).join("\n");
    const { stdout, stderr, status } = await pasted(url, script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const printed = stdout.split(`\n${end}\n`).map((text) => text.trim().split("\n").at(-1) ?? "");
    blocks.forEach(({ answer }, index) => {
      const last = printed[index] ?? "";
      // An event may tell of a failure: whoever reads slowly hears the tone, whoever pastes all at once does not.
      if (answer === null) expect(last).not.toMatch(/^\{"success":false/);
      else expect(alike(last)).toEqual(alike(answer));
    });
  });
});

test("every answer that a guide shows belongs to a block that is run", () => {
  for (const { file, blocks } of guides) {
    const shown = readFileSync(path.join(folder, file), "utf8").match(/^```json answer$/gm)?.length ?? 0;
    expect({ file, shown }).toEqual({ file, shown: blocks.filter(({ answer }) => answer !== null).length });
  }
});
