/** The words of the command line: help with examples that can be pasted, suggestions, completions, and a reader who leaves. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import { findCommand, readArguments } from "../../src/cli/arguments";
import { WrongUse } from "../../src/cli/command";
import { helpOf } from "../../src/cli/help";
import { commands } from "../../src/cli/table";
import { inside, program, start, voicegate } from "./voicegate";

const shell = promisify(execFile);
/** The words of a line as a shell takes them apart, without what stands before the program. */
async function words(line: string): Promise<string[]> {
  const { stdout } = await shell("bash", ["-c", `voicegate() { printf '%s\\n' "$@" >&3; }; { ${line}; } 3>&1 >&2`]);
  return stdout.split("\n").slice(0, -1);
}

test.each(commands.map((command) => [command.name, command] as const))(
  "%s: its help has an example that it takes",
  async (name, command) => {
    const help = helpOf(command);
    for (const option of Object.keys(command.options)) expect(help).toContain(`--${option}`);
    const example = command.example.replace(/^source <\((.*)\)$/, "$1");
    const found = findCommand(commands, await words(example));
    // That of an overview is one of those that it is over.
    expect(found?.command.name.startsWith(name)).toBe(true);
    expect(readArguments(found?.command ?? command, found?.rest ?? [], {}).help).toBe(false);
    expect(command.usage.startsWith(`voicegate ${name}`)).toBe(true);
  },
);

test.each([
  [["trigge", "dtmf"], 'there is no command "trigge": did you mean "trigger"?'],
  [["apps", "lst"], 'there is no command "apps lst": did you mean "apps list"?'],
  [["call", "100", "--press", "12x"], 'step 2, {"do":"press","digits":"12x"}'],
  [["apps", "list", "--jsn"], "there is no option --jsn: did you mean --json?"],
])("%j ends with 2 and a suggestion", async (args, message) => {
  const { status, stdout, stderr } = await voicegate(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(message);
});

describe("what cannot be meant is refused before anything is done", () => {
  test.each([
    [["apps", "list", "--ulr=x"], "there is no option --ulr: did you mean --url?"],
    [["trigger", "dtfm", "--to=http://x"], "there is no event dtfm: did you mean dtmf?"],
    [["apps", "show"], "<app_id> is missing"],
    [["apps", "show", "a", "b"], '"b" is one word too many'],
    [["call", "100", "--from", "--json"], "--from needs a value"],
    [["apps", "list", "--json=yes"], "--json takes no value"],
    [["apps", "list", "--url", "ftp://x"], "is no URL of a gateway"],
    [["apps", "list", "--url", "http://192.0.2.1"], "needs --admin-key, or ADMIN_API_KEY"],
  ])("%j", async (args, message) => {
    const refusal = inside(args);
    await expect(refusal).rejects.toBeInstanceOf(WrongUse);
    await expect(refusal).rejects.toThrow(message);
  });
});

test("a gateway that is not there is told in words, with --json in one document; a key is never shown", async () => {
  const args = ["apps", "list", "--url", "http://127.0.0.1:1", "--admin-key", "hunter2-hunter2-hunter2"];
  const { status, stdout, stderr } = await voicegate([...args, "--json"]);
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: "unreachable", fix: expect.any(String) } });
  expect(stderr).not.toContain("hunter2");
});

test("bash completes commands, options, their values, and what stands for a word", async () => {
  const asked = [
    "",
    "ev",
    "events ",
    "apps cr",
    "apps list --u",
    "trigger dtm",
    "events tail x --until call.h",
    "completions z",
  ];
  const script = `
    source <(node ${program} completions bash)
    complete -p voicegate >/dev/null
    ask() { COMP_WORDS=(voicegate $1); [[ "$1" == *" " || -z "$1" ]] && COMP_WORDS+=(""); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _voicegate; echo "\${COMPREPLY[*]}"; }
    ${asked.map((line) => `ask '${line}'`).join("\n")}`;
  const { stdout, stderr } = await shell("bash", ["-c", script]);
  const [all = "", ...some] = stdout.split("\n");
  expect(all.split(" ")).toEqual(expect.arrayContaining(["dev", "serve", "apps", "events", "doctor", "completions"]));
  expect(some.slice(0, -1)).toEqual(["events", "tail", "create", "--url", "dtmf", "call.hangup", "zsh"]);
  expect(stderr).toBe("");
});

test("the scripts for the other shells name every command", async () => {
  const [zsh, fish] = await Promise.all([voicegate(["completions", "zsh"]), voicegate(["completions", "fish"])]);
  expect(zsh.stdout).toMatch(/^autoload -U \+X bashcompinit/);
  for (const { name } of commands) expect(fish.stdout).toContain(`-a '${name.split(" ").at(-1)}'`);
});

test("whoever reads may leave: it ends without a word", async () => {
  const { child, ended } = start(["completions", "fish"]);
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ stderr: "" });
});
