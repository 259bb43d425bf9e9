/** `voicegate completions`: what a shell completes, made of the table of commands. */
import { shared } from "./arguments";
import { type Command, type Option, WrongUse } from "./command";
import { nearest } from "./nearest";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** @param table asked when it runs: this command is one of them */
export function completionsOf(table: () => readonly Command[]): Command {
  return {
    name: "completions",
    summary: "print what bash, zsh or fish need to complete this program's words",
    usage: "voicegate completions bash|zsh|fish",
    options: {},
    positionals: [{ name: "shell", about: "bash, zsh or fish", suggestions: shells }],
    example: "source <(voicegate completions bash)",
    about: () =>
      "bash  source <(voicegate completions bash)\n" +
      "zsh   source <(voicegate completions zsh), behind compinit\n" +
      "fish  voicegate completions fish | source",
    async run({ positionals: [asked = ""], output }) {
      const shell = shells.find((each) => each === asked);
      if (!shell) {
        const near = nearest(asked, shells);
        throw new WrongUse(
          `no shell ${JSON.stringify(asked)}: ${near === null ? shells.join(", ") : `did you mean ${near}?`}`,
        );
      }
      const script = scripts[shell](table());
      output.print(output.json ? JSON.stringify({ shell, script }) : script);
      return 0;
    },
  };
}

const scripts: Readonly<Record<Shell, (commands: readonly Command[]) => string>> = { bash, zsh, fish };

const optionsOf = (command: Command) => Object.entries<Option>({ ...command.options, ...shared });
/** In single quotes, for every one of the three. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** Words that may stand next: by what was written before, as "events tail". */
function nextWords(commands: readonly Command[]): ReadonlyMap<string, ReadonlySet<string>> {
  const next = new Map<string, Set<string>>();
  for (const { name } of commands) {
    const parts = name.split(" ");
    for (const [at, part] of parts.entries()) {
      const before = parts.slice(0, at).join(" ");
      next.set(before, (next.get(before) ?? new Set()).add(part));
    }
  }
  return next;
}

function suggestionsOf(command: Command): readonly string[] {
  return command.positionals.flatMap(({ suggestions = [] }) => suggestions);
}

function bash(commands: readonly Command[]): string {
  const next = [...nextWords(commands)].map(
    ([before, words]) => `    ${quoted(before)}) words="$words ${[...words].join(" ")}" ;;`,
  );
  // As far as the words are a command, or begin one: what follows are its own.
  const prefixes = commands.flatMap(({ name }) =>
    name.split(" ").map((_, at, parts) => parts.slice(0, at + 1).join(" ")),
  );
  const known = [...new Set(prefixes)].map(quoted).join(" | ");
  const options = commands.map((command) => {
    const names = optionsOf(command).map(([name]) => `--${name}`);
    return `    ${quoted(command.name)}) words="$words ${[...suggestionsOf(command), ...names].join(" ")}" ;;`;
  });
  const values = commands.flatMap((command) =>
    optionsOf(command).flatMap(([name, { type, choices, file }]) => {
      if (type === "boolean") return [];
      const what = file
        ? 'COMPREPLY=($(compgen -f -- "$word"))'
        : choices
          ? `COMPREPLY=($(compgen -W ${quoted(choices.join(" "))} -- "$word"))`
          : ":";
      return [`    ${quoted(`${command.name} --${name}`)}) ${what}; return ;;`];
    }),
  );
  return `_voicegate() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" said="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${said:+$said }\${COMP_WORDS[i]}" in
    ${known}) said="\${said:+$said }\${COMP_WORDS[i]}" ;;
    *) break ;;
    esac
  done
  COMPREPLY=()
  case "$said $before" in
${values.join("\n")}
  esac
  case "$said" in
${next.join("\n")}
  esac
  case "$said" in
${options.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _voicegate voicegate`;
}

function zsh(commands: readonly Command[]): string {
  // zsh takes bash's completions as they are.
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly Command[]): string {
  const lines = ["complete -c voicegate -f"];
  for (const [before, words] of nextWords(commands)) {
    const seen =
      before === ""
        ? "__fish_use_subcommand"
        : `__fish_seen_subcommand_from ${before}; and not __fish_seen_subcommand_from ${[...words].join(" ")}`;
    for (const word of words) {
      const name = before === "" ? word : `${before} ${word}`;
      const summary = commands.find((command) => command.name === name)?.summary ?? `${word} …`;
      lines.push(`complete -c voicegate -n ${quoted(seen)} -a ${quoted(word)} -d ${quoted(summary)}`);
    }
  }
  for (const command of commands) {
    const seen = command.name
      .split(" ")
      .map((part) => `__fish_seen_subcommand_from ${part}`)
      .join("; and ");
    for (const word of suggestionsOf(command))
      lines.push(`complete -c voicegate -n ${quoted(seen)} -a ${quoted(word)}`);
    for (const [name, { type, short, about, choices, file }] of optionsOf(command)) {
      const value = type === "boolean" ? "" : file ? " -r -F" : choices ? ` -x -a ${quoted(choices.join(" "))}` : " -x";
      const letter = short === undefined ? "" : ` -s ${short}`;
      lines.push(`complete -c voicegate -n ${quoted(seen)} -l ${name}${letter}${value} -d ${quoted(about)}`);
    }
  }
  return lines.join("\n");
}
