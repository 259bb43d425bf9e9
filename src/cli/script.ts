/** The script of a caller: steps of a file, keys to press, and the document's own rule for both. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Input } from "../client/index";
import { type Given, type Option, text, WrongUse, whole } from "./command";

/** Steps that the document allows. */
export type Script = NonNullable<Input<"createSandboxCall">["body"]["script"]>;

export const scriptOptions = {
  script: { type: "string", value: "file", file: true, about: "a JSON list of steps, as the sandbox takes them" },
  press: { type: "string", value: "keys", about: "once answered: 12#" },
  "hang-up-after": {
    type: "string",
    value: "seconds",
    about: "hangs up so long after its last step; else the app has to",
  },
} as const satisfies Record<string, Option>;

/** @throws WrongUse when a file cannot be read, or a step is none */
export async function scriptOf(given: Given): Promise<Script> {
  const file = text(given, "script");
  const keys = text(given, "press");
  const seconds = whole(given, "hang-up-after", 0, 600);
  const steps: unknown[] = file === undefined ? [] : read(file);
  if (keys !== undefined) steps.push({ do: "wait_for", event: "call.answered" }, { do: "press", digits: keys });
  if (seconds !== undefined) steps.push({ do: "wait", ms: seconds * 1000 }, { do: "hangup" });
  const isScript = await rule();
  if (!isScript(steps)) throw new WrongUse(`the script is not as the sandbox takes it: ${wrongStep(steps, isScript)}`);
  return steps;
}

function read(file: string): unknown[] {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new WrongUse(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const steps = typeof found === "object" && found !== null && "script" in found ? found.script : found;
  if (!Array.isArray(steps)) throw new WrongUse(`${file} must hold a JSON list of steps`);
  return steps;
}

type Rule = (steps: unknown) => steps is Script;

/** The document's own rule for a script. */
async function rule(): Promise<Rule> {
  const document = JSON.parse(readFileSync(path.join(__dirname, "../../../generated/openapi.json"), "utf8"));
  // Validators take their time to load, which no other command should.
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  // Words of OpenAPI are none of JSON Schema.
  const ajv = new Ajv2020({ strict: false, logger: false });
  ajv.addSchema(document, "document");
  const compiled = ajv.compile({ $ref: "document#/components/schemas/SandboxCall/properties/script" });
  return (steps): steps is Script => compiled(steps) === true;
}

/** The first step that is wrong by itself. */
function wrongStep(steps: readonly unknown[], isScript: Rule): string {
  const wrong = steps.findIndex((step) => !isScript([step]));
  return wrong < 0 ? `${steps.length} steps are too many` : `step ${wrong + 1}, ${JSON.stringify(steps[wrong])}`;
}
