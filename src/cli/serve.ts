/** The two ways to start a gateway: for the first minute, and for production. */
import { once } from "node:events";
import { ConfigError, readConfig, variables } from "../config";
import type { Command, Output } from "./command";

/** Until somebody wants it to end. */
async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** What was wrong is said in one line where it is no mistake of ours. @returns the exit code */
function refused(error: unknown, output: Output): number {
  if (error instanceof ConfigError) output.error(error.message);
  else if (error instanceof Error && (error.name === "StartError" || "code" in error))
    output.error(`Cannot start: ${error.message}`);
  else throw error;
  return 1;
}

export const serve: Command = {
  name: "serve",
  summary: "start for production: nothing assumed, everything from the environment",
  usage: "voicegate serve",
  options: {},
  positionals: [],
  example: "ADMIN_API_KEY=change-me-0123456789 SIP_HOST=0.0.0.0 SIP_PUBLIC_HOST=192.0.2.10 voicegate serve",
  about: () => {
    const rows = Object.entries(variables).map(([name, { default: value, about }]) => {
      return `  ${name.padEnd(25)} ${(value ?? "-").padEnd(10)} ${about}`;
    });
    return `Everything comes from the environment (name, default, meaning):\n\n${rows.join("\n")}`;
  },
  async run({ output, signal }) {
    try {
      const config = readConfig(process.env);
      // The gateway with all that it needs takes its time to load, which no other command should.
      const { startGateway } = await import("../main.js");
      const gateway = await startGateway(config);
      await gateway.warm();
      await ended(signal);
      await gateway.shutdown();
      return 0;
    } catch (error) {
      return refused(error, output);
    }
  },
};

export const dev: Command = {
  name: "dev",
  summary: "start with demo values: memory store, embedded engine, a demo app and a receiver that prints its events",
  usage: "voicegate dev",
  options: {},
  positionals: [],
  example: "PORT=9090 voicegate dev",
  about: () => 'Each variable of "voicegate serve --help" has a demo value here, and may be given another.',
  async run({ output, signal }) {
    try {
      const { startDevelopment } = await import("./development.js");
      const development = await startDevelopment(process.env, output.print, output.colours, output.json);
      await development.gateway.warm();
      await ended(signal);
      await development.shutdown();
      return 0;
    } catch (error) {
      return refused(error, output);
    }
  },
};
