/** The lines with which an operation is called: for curl, and for the typed client. */
import { demo } from "../../src/cli/demo";
import type { Json, Operation } from "./book";

/** Where `npm start` listens. */
const origin = "http://127.0.0.1:8080";

/** What stands for a parameter of the path in a shell, and in a program. */
const shell: Readonly<Record<string, string>> = {
  uuid: "$SESSION",
  room_id: "$ROOM",
  recording_id: "$RECORDING",
  app_id: demo.app,
};

/** JSON for people: what fits into a line stands in one. */
export function shownJson(value: Json, indent = ""): string {
  const flat = flatJson(value);
  if (typeof value !== "object" || value === null || indent.length + flat.length <= widest) return flat;
  const inner = `${indent}  `;
  const lines = isList(value)
    ? value.map((entry) => `${inner}${shownJson(entry, inner)}`)
    : Object.entries(value).map(([name, entry]) => `${inner}${JSON.stringify(name)}: ${shownJson(entry, inner)}`);
  const [open, close] = isList(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

/** Of an object or a list in one line. */
const widest = 60;

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function flatJson(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(flatJson).join(", ")}]`;
  const fields = Object.entries(value).map(([name, entry]) => `${JSON.stringify(name)}: ${flatJson(entry)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** Files that are there wherever the gateway runs. */
export function withSampleFiles(body: Json, base: string): Json {
  return JSON.parse(
    JSON.stringify(body).replaceAll(/https:\/\/media\.example\.com\/[^"]*/g, `${base}/samples/tone.wav`),
  );
}

/** Without the uid: one can be used once, and the gateway makes one up. */
export function repeatable(body: Json): Json {
  if (typeof body !== "object" || body === null || !("command_uid" in body)) return body;
  const { command_uid: _, ...rest } = body;
  return rest;
}

export function curl({ policy, body }: Operation): string {
  const { method, path, auth } = policy;
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => shell[name] ?? `$${name.toUpperCase()}`);
  const lines = [
    ...(method === "GET" || (method === "POST" && body) ? [] : [`-X ${method}`]),
    ...(auth === "app" ? [`-H "X-App-ID: ${demo.app}"`, `-H "X-API-Key: ${demo.key}"`] : []),
    ...(auth === "admin" ? [`-H "X-Admin-API-Key: ${demo.admin}"`] : []),
    ...(body
      ? [`-H "Content-Type: application/json"`, `-d '${JSON.stringify(withSampleFiles(body.example, origin))}'`]
      : []),
    `"${origin}${target}"`,
  ];
  return `curl -s ${lines.join(" \\\n  ")}`;
}

/** One call of the client that `voicegate/client` exports. */
export function client({ id, policy, body, parameters }: Operation): string {
  const names = parameters.filter(({ in: place }) => place === "path").map(({ name }) => name);
  const input = [...names, ...(body ? [`body: ${literal(body.example)}`] : [])];
  const inline = input.length === 0 ? "" : `{ ${input.join(", ")} }`;
  const given = inline.length <= widest ? inline : `{\n  ${input.join(",\n  ")},\n}`;
  const call = `await client.${id}(${given});\nif (error) throw new Error(error.code);`;
  return policy.success === 204 ? `const { error } = ${call}` : `const { data, error } = ${call}\nconsole.log(data);`;
}

/** JSON as one writes it in a program: names without quotes where they need none. */
function literal(value: Json): string {
  return shownJson(value, "  ").replaceAll(/"([A-Za-z_]\w*)": /g, "$1: ");
}
