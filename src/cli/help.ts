/** What `--help` says, made of the table of commands. */
import { shared } from "./arguments";
import type { Command, Option } from "./command";
import { columns } from "./output";

/** The overview. @param under only commands whose name begins with this word */
export function overview(commands: readonly Command[], under?: string): string {
  const shown = commands.filter(({ name }) => under === undefined || name.split(" ")[0] === under);
  const rows = shown.map(({ name, summary }) => [`  ${name}`, summary]);
  return [
    `Usage: voicegate ${under ?? "<command>"}${under === undefined ? "" : " <command>"} [options]`,
    "",
    ...columns(rows),
    "",
    "  --help       this text; of a command: voicegate <command> --help",
    "  --version    the version",
    "",
    "Example: voicegate dev",
  ].join("\n");
}

/** Everything about one command. */
export function helpOf(command: Command): string {
  const { usage, summary, options, positionals, about, example } = command;
  const words = positionals.map(({ name, about: meaning }) => [`  <${name}>`, meaning]);
  const rows = Object.entries<Option>({ ...options, ...shared }).map(([name, option]) => [
    `  ${option.short === undefined ? "   " : `-${option.short},`} --${name}${option.type === "string" ? ` <${option.value ?? "value"}>` : ""}`,
    meaningOf(option),
  ]);
  const further = about?.();
  return [
    `Usage: ${usage}`,
    "",
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(further === undefined ? [] : ["", further]),
    ...(words.length === 0 ? [] : ["", ...columns(words)]),
    "",
    ...columns(rows),
    "",
    `Example: ${example}`,
  ].join("\n");
}

function meaningOf({ about, choices, env, default: value, multiple }: Option): string {
  const notes = [
    ...(choices ? [choices.join(", ")] : []),
    ...(multiple ? ["may be given more than once"] : []),
    ...(env === undefined ? [] : [env]),
    ...(value === undefined ? [] : [`default ${value}`]),
  ];
  return notes.length === 0 ? about : `${about} (${notes.join("; ")})`;
}
