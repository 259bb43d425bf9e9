/** Words of the command line to a command and what it is given. */
import { parseArgs } from "node:util";
import { type Command, type Given, type Option, WrongUse } from "./command";
import { nearest } from "./nearest";

/** Every command's, beside its own. */
export const shared = {
  json: { type: "boolean", about: "for programs: one JSON document, of a stream one on each line" },
  help: { type: "boolean", short: "h", about: "this text" },
} as const satisfies Record<string, Option>;

export type Parsed = Pick<Given, "options" | "positionals"> & { readonly help: boolean; readonly json: boolean };

/** The command whose name begins the words, the longest one; and the words behind it. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | null {
  const fits = (name: readonly string[]) => name.every((part, at) => words[at] === part);
  const [found] = commands
    .map((command) => ({ command, name: command.name.split(" ") }))
    .filter(({ name }) => fits(name))
    .sort((a, b) => b.name.length - a.name.length);
  return found ? { command: found.command, rest: words.slice(found.name.length) } : null;
}

/** @throws WrongUse with what to write instead */
export function readArguments(
  command: Command,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Parsed {
  const options: Readonly<Record<string, Option>> = { ...command.options, ...shared };
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => {
      return [name, { type, ...(short !== undefined && { short }), ...(multiple !== undefined && { multiple }) }];
    }),
  );
  // Not strict, so that what is wrong is said in words of our own.
  const { tokens } = parseArgs({ args: [...words], options: config, strict: false, tokens: true });
  const given: Record<string, string | boolean | string[]> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!option) throw new WrongUse(unknownOption(token.rawName, Object.keys(options)));
    if (option.type === "boolean") {
      if (token.value !== undefined) throw new WrongUse(`--${token.name} takes no value`);
      given[token.name] = true;
      continue;
    }
    const { value } = token;
    if (value === undefined || (!token.inlineValue && /^-./.test(value)))
      throw new WrongUse(`${token.rawName} needs a value: ${token.rawName} <${option.value ?? "value"}>`);
    const before = given[token.name];
    given[token.name] = option.multiple ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  const asked = { help: given.help === true, json: given.json === true };
  if (asked.help) return { options: {}, positionals: [], ...asked };
  for (const [name, option] of Object.entries(command.options)) complete(given, name, option, env);
  checkPositionals(command, positionals);
  return { options: given, positionals, ...asked };
}

/** From the environment, or the default; and is it one of the choices? */
function complete(
  given: Record<string, string | boolean | string[]>,
  name: string,
  option: Option,
  env: Readonly<Record<string, string | undefined>>,
): void {
  const own = option.env === undefined ? undefined : env[option.env];
  const fallback = own || option.default;
  if (given[name] === undefined && fallback !== undefined) {
    given[name] = option.type === "boolean" ? fallback === "true" : option.multiple ? [fallback] : fallback;
  }
  const { choices } = option;
  const values = [given[name]].flat().filter((value) => typeof value === "string");
  const wrong = choices && values.find((value) => !choices.includes(value));
  if (wrong !== undefined && wrong !== null)
    throw new WrongUse(`--${name} cannot be ${JSON.stringify(wrong)}: ${choices?.join(", ")}`);
}

function checkPositionals({ positionals, name }: Command, given: readonly string[]): void {
  const missing = positionals[given.length];
  if (missing && !missing.optional) throw new WrongUse(`<${missing.name}> is missing: ${missing.about}`);
  if (given.length > positionals.length && !positionals.at(-1)?.multiple) {
    const extra = given[positionals.length] ?? "";
    throw new WrongUse(`"${extra}" is one word too many for voicegate ${name}`);
  }
}

function unknownOption(raw: string, names: readonly string[]): string {
  const near = nearest(raw.replace(/^-+/, ""), names);
  return `there is no option ${raw}${near === null ? "" : `: did you mean --${near}?`}`;
}
