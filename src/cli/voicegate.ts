#!/usr/bin/env node
/** The command line: `voicegate dev` for the first minute, `voicegate serve` for production. */
import { ConfigError, packageVersion, readConfig, variables } from "../config";
import { StartError, startGateway } from "../main";
import { startDevelopment } from "./development";

const usage = `Usage: voicegate <command>

  dev      start with demo values: memory store, embedded engine, a demo app and a receiver that prints its events
  serve    start for production: nothing assumed, everything from the environment

  --help     this text; "voicegate serve --help" lists the environment
  --version  the version

Example: PORT=9090 voicegate dev
`;

function environment(): string {
  const rows = Object.entries(variables).map(([name, { default: value, about }]) => {
    return `  ${name.padEnd(25)} ${(value ?? "-").padEnd(10)} ${about}`;
  });
  return `Usage: voicegate serve

Everything comes from the environment (name, default, meaning):

${rows.join("\n")}

Example: ADMIN_API_KEY=… SIP_HOST=0.0.0.0 SIP_PUBLIC_HOST=192.0.2.10 voicegate serve
`;
}

/** npm passes on a signal that the terminal has sent to the whole group: the same one twice within this is one. */
const sameSignalMs = 1000;

/** Ctrl-C and SIGTERM end it in order; asked again, at once. */
function stopOnSignal(shutdown: () => Promise<void>): void {
  let asked: number | null = null;
  const stop = () => {
    if (asked !== null && performance.now() - asked > sameSignalMs) process.exit(1);
    if (asked !== null) return;
    asked = performance.now();
    shutdown().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

async function run(args: readonly string[]): Promise<void> {
  const [command, option] = args;
  if (option === "--help" && command === "serve") process.stdout.write(environment());
  else if (command === "--version") process.stdout.write(`${packageVersion()}\n`);
  else if (command === "--help" || option === "--help") process.stdout.write(usage);
  else if (command === "serve") {
    const gateway = await startGateway(readConfig(process.env));
    stopOnSignal(gateway.shutdown);
  } else if (command === "dev") {
    const development = await startDevelopment(process.env);
    stopOnSignal(development.shutdown);
  } else {
    process.stderr.write(usage);
    process.exitCode = 2;
  }
}

run(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError) console.error(error.message);
  else if (error instanceof StartError || (error instanceof Error && "code" in error))
    console.error(`Cannot start: ${error.message}`);
  else console.error(error);
  process.exit(1);
});
