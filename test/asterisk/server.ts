/** A real Asterisk of a test's own: on free ports, in a folder of its own, configured as the examples say; killed and started again at will. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** Compiled tests lie in dist/test/asterisk. */
const project = path.join(__dirname, "../../..");
const examples = path.join(project, "examples/asterisk");
/** Once fetched, it stays for later runs of this user. */
const cache = path.join(tmpdir(), `voicegate-asterisk-${process.getuid?.() ?? 0}`);
const triplets: Readonly<Record<string, { readonly folder: string; readonly loader: string } | undefined>> = {
  x64: { folder: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { folder: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};
const emptyFiles = [
  "acl",
  "ccss",
  "cdr",
  "cel",
  "features",
  "indications",
  "manager",
  "musiconhold",
  "pjproject",
].concat(["res_http_media_cache", "sorcery", "stasis", "udptl", "websocket_client"]);
/** It takes half a second. */
const patienceMs = 15_000;
const run = promisify(execFile);

let fetched: Promise<void> | null = null;

/** By one process at a time: the others wait, and find it there. */
function fetch(): Promise<void> {
  fetched ??= (async () => {
    await mkdir(cache, { recursive: true });
    await run("flock", [path.join(cache, "lock"), "bash", path.join(project, "scripts/asterisk.sh"), cache]);
  })();
  return fetched;
}

export class AsteriskServer {
  readonly user = "voicegate";
  readonly password = randomBytes(8).toString("hex");
  readonly #heir: ChildProcess;
  #server: ChildProcess | null = null;

  private constructor(
    readonly httpPort: number,
    readonly sipPort: number,
    readonly folder: string,
  ) {
    // Removes the folder when this process is gone before it could: its input ends then, however it died.
    const inherit = 'cat >/dev/null; sleep 1; rm -rf -- "$1"';
    this.#heir = spawn("sh", ["-c", inherit, "sh", folder], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#heir.unref();
  }

  /** Resolves when ARI answers. @param prepare may change its configuration */
  static async start(
    prepare: (server: AsteriskServer) => Promise<void> = async () => undefined,
  ): Promise<AsteriskServer> {
    await fetch();
    for (let tries = 1; ; tries++) {
      const folder = await mkdtemp(path.join(tmpdir(), "voicegate-asterisk-run-"));
      const server = new AsteriskServer(await freePort("tcp"), await freePort("udp"), folder);
      try {
        await server.#configure();
        await prepare(server);
        await server.launch();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody may have taken a port between the look at it and its use.
        if (tries === 3) throw error;
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** A file of its configuration. */
  conf(name: string): string {
    return path.join(this.folder, "etc", name);
  }

  /** SIGKILL: resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** In order: it ends its calls first. */
  async quit(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Also of one that was killed: nothing of it is left. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
    if (this.#heir.pid !== undefined && this.#heir.exitCode === null) process.kill(-this.#heir.pid, "SIGKILL");
  }

  /** Stands still, with all its connections open; `go` lets it go on. Resolves once each of its threads does. */
  async halt(): Promise<void> {
    const pid = this.#server?.pid;
    if (pid === undefined) throw new Error("the server does not run");
    process.kill(pid, "SIGSTOP");
    for (const thread of await readdir(`/proc/${pid}/task`)) {
      const state = () => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8");
      while (!/\) T /.test(await state())) await delay(1);
    }
  }

  go(): void {
    this.#server?.kill("SIGCONT");
  }

  /** Again on the same ports and folder. @throws when it ends before it answers, with what it said */
  async launch(): Promise<void> {
    const { lib, loader } = places();
    // It dies with this process, however that dies.
    const program = [loader, "--library-path", lib, path.join(cache, "root/usr/sbin/asterisk")];
    const args = ["--pdeathsig", "KILL", ...program, "-f", "-n", "-C", this.conf("asterisk.conf")];
    const server = spawn("setpriv", args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#server = server;
    let said = "";
    let ended = false;
    const take = (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-10_000);
    };
    server.stdout.on("data", take);
    server.stderr.on("data", take);
    server.on("error", take);
    server.on("close", () => {
      ended = true;
      if (this.#server === server) this.#server = null;
    });
    const until = performance.now() + patienceMs;
    while (!(await this.#answers())) {
      if (ended || performance.now() > until) throw new Error(`asterisk does not answer:\n${said}`);
      await delay(20);
    }
  }

  /** What the console says to this. */
  async console(command: string): Promise<string> {
    const { lib, loader } = places();
    const args = ["--library-path", lib, path.join(cache, "root/usr/sbin/asterisk")];
    const { stdout } = await run(loader, [...args, "-C", this.conf("asterisk.conf"), "-rx", command]);
    return stdout;
  }

  /** A request to its ARI, beside the gateway. */
  async ari(method: string, target: string): Promise<Response> {
    const authorization = `Basic ${Buffer.from(`${this.user}:${this.password}`).toString("base64")}`;
    return globalThis.fetch(`${this.url}/ari${target}`, { method, headers: { authorization } });
  }

  /** Names of its channels. */
  async channels(): Promise<string[]> {
    const listed: unknown = await (await this.ari("GET", "/channels")).json();
    return (Array.isArray(listed) ? listed : []).map((channel: { readonly name: string }) => channel.name);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await this.ari("GET", "/asterisk/ping")).ok;
    } catch {
      // Nobody listens there yet.
      return false;
    }
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    const gone = once(server, "close");
    server.kill(signal);
    server.kill("SIGCONT");
    await gone;
  }

  /** The examples with this test's ports and password, and what a minimal Asterisk needs beside them. */
  async #configure(): Promise<void> {
    const { lib } = places();
    const { folder } = this;
    const etc = path.join(folder, "etc");
    for (const name of ["etc", "run", "log", "lib", "spool/recording", "spool/monitor", "spool/tmp", "cache"])
      await mkdir(path.join(folder, name), { recursive: true });
    const directories = {
      astetcdir: etc,
      astmoddir: path.join(lib, "asterisk/modules"),
      astvarlibdir: path.join(folder, "lib"),
      astdbdir: path.join(folder, "lib"),
      astkeydir: path.join(folder, "lib"),
      astdatadir: path.join(cache, "root/usr/share/asterisk"),
      astagidir: path.join(folder, "lib"),
      astspooldir: path.join(folder, "spool"),
      astrundir: path.join(folder, "run"),
      astlogdir: path.join(folder, "log"),
      astcachedir: path.join(folder, "cache"),
    };
    const lines = Object.entries(directories).map(([name, value]) => `${name} => ${value}`);
    const files: Record<string, string> = {
      "asterisk.conf": ["[directories]", ...lines, ""].join("\n"),
      "rtp.conf": "[general]\nrtpstart = 16400\nrtpend = 19998\nstrictrtp = no\nicesupport = no\n",
      "logger.conf": "[general]\n[logfiles]\nmessages.log => notice,warning,error,verbose(3)\n",
      "modules.conf": await readFile(path.join(project, "test/fixtures/asterisk/modules.conf"), "utf8"),
    };
    const changed = async (name: string, ...changes: [RegExp, string][]) => {
      const text = await readFile(path.join(examples, name), "utf8");
      files[name] = changes.reduce((all, [from, to]) => all.replace(from, to), text);
    };
    await changed("ari.conf", [/change-me/g, this.password]);
    await changed("http.conf", [/^bindport = .*$/m, `bindport = ${this.httpPort}`]);
    await changed("pjsip.conf", [/^bind = .*$/m, `bind = 127.0.0.1:${this.sipPort}`]);
    await changed("extensions.conf");
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(etc, name), text);
    // What is not there is a mistake for some modules.
    for (const name of emptyFiles) await writeFile(path.join(etc, `${name}.conf`), "");
  }
}

function places(): { readonly lib: string; readonly loader: string } {
  const triplet = triplets[process.arch];
  if (!triplet) throw new Error(`no Asterisk for ${process.arch}`);
  const lib = path.join(cache, "root/usr/lib", triplet.folder);
  return { lib, loader: path.join(lib, triplet.loader) };
}

/** A port of the loopback address below those that the system hands out, so that it can be taken again. */
export async function freePort(kind: "tcp" | "udp"): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 6_000);
    const free = await new Promise<boolean>((resolve) => {
      if (kind === "tcp") {
        const probe = createServer();
        probe.once("error", () => resolve(false));
        probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
      } else {
        const probe = createSocket("udp4");
        probe.once("error", () => resolve(false));
        probe.bind(port, "127.0.0.1", () => probe.close(() => resolve(true)));
      }
    });
    if (free) return port;
  }
}
