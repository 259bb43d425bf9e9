import { failureMistakes } from "./declared";
import { type Catalogue, type Document, type Json, objects, operationsOf } from "./document";
import { fieldMistakes } from "./fields";
import { guardMistakes } from "./guards";
import type { Policy } from "./policy";

/** Everything in the sources that redocly cannot know to be wrong, one line each; runs before the document is expanded. */
export function lint(document: Document, catalogue: Catalogue, all: readonly Policy[]): string[] {
  return [
    ...failureMistakes(document, catalogue, all),
    ...fieldMistakes(document, catalogue),
    ...catalogueMistakes(document, catalogue, all),
    ...operationMistakes(document),
    ...commandMistakes(document, all),
    ...guardMistakes(document, catalogue, all),
    ...eventMistakes(document, all),
    ...wordMistakes(document),
  ];
}

/** One code is one message, one message is one code, written once, and every error and set belongs to somebody. */
function catalogueMistakes(document: Document, catalogue: Catalogue, all: readonly Policy[]): string[] {
  const found: string[] = [];
  const used = new Set(all.flatMap((policy) => policy.failures));
  const codes = new Map<string, string>();
  for (const [code, error] of Object.entries(catalogue.errors)) {
    const first = codes.get(error.message);
    if (first) found.push(`errors.yaml: "${error.message}" has two codes, ${first} and ${code}`);
    codes.set(error.message, code);
    if (!/^[a-z][a-z0-9_]*$/.test(code)) found.push(`errors.yaml: ${code} is not snake_case`);
    if ((error.status === undefined) !== (error.step === undefined))
      found.push(`errors.yaml: ${code} needs status and step`);
    if (error.status !== undefined && !used.has(code)) found.push(`errors.yaml: no operation declares ${code}`);
    if (error.status === undefined && !error.result)
      found.push(`errors.yaml: ${code} is neither a response nor a result`);
    for (const word of ["message", "cause", "fix", "provoke"] as const) {
      if (!error[word]) found.push(`errors.yaml: ${code} has no ${word}`);
    }
  }
  const named = [
    ...operationsOf(document).map(({ operation }) => operation),
    ...Object.values(document["x-pseudo-operations"]),
  ];
  const text = JSON.stringify(document);
  for (const { message } of Object.values(catalogue.errors)) {
    if (text.includes(message)) found.push(`"${message}" is written outside of errors.yaml`);
  }
  for (const set of Object.keys(catalogue.sets)) {
    if (!named.some((operation) => operation["x-errors"]?.includes(set)))
      found.push(`errors.yaml: nobody names set ${set}`);
  }
  return found;
}

/** Bodies are named, examples are given, errors are not written by hand. */
function operationMistakes(document: Document): string[] {
  const found: string[] = [];
  for (const { path, method, operation } of operationsOf(document)) {
    const name = operation.operationId ?? `${method} ${path}`;
    const tags = operation.tags ?? [];
    if (tags.length !== 1 || !document.tags.some((tag) => tag.name === tags[0]))
      found.push(`${name}: needs exactly one known tag`);
    const body = operation.requestBody;
    if (body) {
      const media = body.content["application/json"];
      if (!media?.schema?.$ref) found.push(`${name}: inline request body; give it a name in schemas.yaml`);
      if (media?.example === undefined) found.push(`${name}: request body without an example`);
    }
    const limit = operation["x-body-limit"];
    // The size limit holds everywhere, also where a body is ignored.
    if (limit === undefined) found.push(`${name}: has no x-body-limit`);
    for (const [status, given] of Object.entries(operation.responses ?? {})) {
      const response = given.$ref ? document.components.responses[given.$ref.split("/").at(-1) ?? ""] : given;
      const media = response?.content?.["application/json"];
      if (!status.startsWith("2") && status !== "304")
        found.push(`${name}: ${status} is written by hand; name its errors in x-errors`);
      if (media && media.example === undefined) found.push(`${name}: ${status} without an example`);
      const empty = Object.keys(response?.content ?? {}).length === 0;
      if (empty && status !== "204" && status !== "304") found.push(`${name}: ${status} without content`);
      if (!empty && status === "204") found.push(`${name}: 204 has no content`);
    }
    const statuses = Object.keys(operation.responses ?? {});
    // A part of a file is the same success as the whole, and so is one that the caller has already.
    if (statuses.length !== 1 && !["200,206", "200,304"].includes(statuses.join()))
      found.push(`${name}: needs exactly one status of success, or 200 and 206 or 304`);
    if (operation["x-ended"] && (operation["x-command"] || !/\{(?:uuid|room_id)\}/.test(path)))
      found.push(`${name}: x-ended is for reading what a session or room in the path left behind`);
    if (operation["x-lenient-body"] && (!body || body.required))
      found.push(`${name}: x-lenient-body needs a body that may be left out`);
  }
  return found;
}

/** Where commands stand, what their names have before the rest of that path, and how many bytes they read. */
const KINDS = {
  session: { below: "/api/v1/sessions/{uuid}/commands/", prefix: "", limit: 65536 },
  room: { below: "/api/v1/conferences/{room_id}/", prefix: "room/", limit: 1048576 },
} as const;

/** A command stands where its name says, and each rate group has an operation. */
function commandMistakes(document: Document, all: readonly Policy[]): string[] {
  const found: string[] = [];
  const groups = new Set<string>();
  for (const { id, command, path, body, emits } of all) {
    if (!command) continue;
    const { below, prefix, limit } = KINDS[command.of];
    const place = path?.startsWith(below) ? `${prefix}${path.slice(below.length)}` : path;
    if (command.cooldown) groups.add(command.cooldown.group);
    if (place !== command.name) found.push(`${id}: x-command is named ${command.name} but its path says ${place}`);
    if (body.limit !== limit) found.push(`${id}: a ${command.of} command reads at most ${limit} bytes`);
    if (!emits.includes("command.result")) found.push(`${id}: a command emits command.result`);
  }
  for (const { operation } of operationsOf(document)) {
    if (operation["x-rate-group"] && !operation["x-command"])
      found.push(`${operation.operationId}: x-rate-group without x-command`);
  }
  for (const group of Object.keys(document["x-rate-groups"])) {
    if (!groups.has(group)) found.push(`x-rate-groups: no operation is in ${group}`);
  }
  return found;
}

function eventMistakes(document: Document, all: readonly Policy[]): string[] {
  const emitted = new Set(all.flatMap((policy) => policy.emits));
  const silent = Object.keys(document.webhooks).filter((event) => !emitted.has(event));
  const unknown = all.flatMap(({ id, emits }) =>
    emits.filter((event) => !(event in document.webhooks)).map((event) => `${id}: emits ${event}, which is no event`),
  );
  const sources = Object.entries(document.webhooks).filter(
    ([, { post }]) => !["session", "room", "either"].includes(post["x-source"] ?? "session"),
  );
  return [
    ...silent.map((event) => `webhooks: nobody emits ${event}`),
    ...unknown,
    ...sources.map(([event]) => `${event}: x-source is session, room or either`),
  ];
}

/** The words of the extension are exactly those that `x-words` explains. */
function wordMistakes(document: Document): string[] {
  const words = document["x-words"];
  // The generator itself puts this one on top of what it writes.
  const used = new Set(["x-generated"]);
  const plain: Json = JSON.parse(JSON.stringify({ ...document, "x-words": null }));
  for (const [object] of objects(plain)) {
    for (const key of Object.keys(object)) if (key.startsWith("x-")) used.add(key);
  }
  const unexplained = [...used].filter((word) => !(word in words));
  const unused = Object.keys(words).filter((word) => !used.has(word));
  return [
    ...unexplained.map((word) => `${word} is not explained in x-words`),
    ...unused.map((word) => `x-words explains ${word}, which nobody uses`),
  ];
}
