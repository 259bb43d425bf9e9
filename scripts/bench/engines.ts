/** What a command costs with each kind of media server: from the request to its 202, and the same done by ARI itself. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { wavHeader, wavRate } from "../../src/wav";
import { AsteriskServer } from "../../test/asterisk/server";
import { FreeswitchReplay } from "../../test/freeswitch/replay";
import { type Client, udpClient } from "../../test/sip/client";
import { Phone, sdp } from "../../test/sip/phone";
import { type Arrival, Endpoint } from "./endpoint";
import { command, credentials, Gateway } from "./gateway";
import { post, type Ran, run } from "./load";
import { ms, quantile, type Section, whole } from "./report";

const app_id = "bench";
/** A call takes a command of this kind ten times a second. */
const calls = 120;
const everyMs = 2;
/** Long enough that no call comes to its end while it is measured. */
const soundSeconds = 60;

/** A media server with callers. */
interface MediaServer {
  readonly name: string;
  /** How often each call is paused and resumed. */
  readonly rounds: number;
  readonly env: Readonly<Record<string, string>>;
  /** Somebody calls this number; resolves when it rings, and answers what is to be done once it is answered. */
  call(gateway: Gateway, nth: number): Promise<() => Promise<void>>;
  /** The same on the same calls without the gateway, which has stopped what played: null where there is no such way. */
  direct(): Promise<{ readonly port: number; readonly requests: readonly Buffer[] } | null>;
  close(): Promise<void>;
}

const embedded = async (): Promise<MediaServer> => {
  const phones = new Phones();
  return {
    name: "embedded",
    rounds: 12,
    env: {},
    call: (gateway, nth) => phones.call(gateway.program.ready.sipPort ?? 0, nth),
    direct: async () => null,
    close: () => phones.close(),
  };
};

const asterisk = async (): Promise<MediaServer> => {
  const server = await AsteriskServer.start();
  const phones = new Phones();
  const { host } = new URL(server.url);
  const login = `Basic ${Buffer.from(`${server.user}:${server.password}`).toString("base64")}`;
  return {
    name: "Asterisk",
    rounds: 12,
    env: { EMBEDDED_ENGINE: "false", ASTERISK_NODES: `ast=${server.url}|${server.user}|${server.password}` },
    call: (_, nth) => phones.call(server.sipPort, nth),
    async direct() {
      const file = path.join(server.folder, "silence");
      await writeFile(`${file}.wav`, silence());
      const listed: unknown = await (await server.ari("GET", "/channels")).json();
      const channels: readonly { readonly id: string }[] = Array.isArray(listed) ? listed : [];
      const media = encodeURIComponent(`sound:${file}`);
      for (const { id } of channels) await server.ari("POST", `/channels/${id}/play/direct-${id}?media=${media}`);
      const control = (operation: string) =>
        channels.map(({ id }) =>
          post(`/ari/playbacks/direct-${id}/control?operation=${operation}`, { Host: host, Authorization: login }, {}),
        );
      return { port: server.httpPort, requests: [...control("pause"), ...control("unpause")] };
    },
    async close() {
      await phones.close();
      await server.stop();
    },
  };
};

const freeswitch = async (): Promise<MediaServer> => {
  const replay = new FreeswitchReplay(20);
  await replay.listen();
  return {
    name: "FreeSWITCH, replayed",
    // Each takes a frame of 20 ms, as at a real one.
    rounds: 2,
    env: { EMBEDDED_ENGINE: "false", FREESWITCH_NODES: `fs=127.0.0.1:${replay.port}:${replay.password}` },
    async call(_, nth) {
      replay.call({ caller_id: `caller${nth}`, did: "100" });
      return async () => undefined;
    },
    direct: async () => null,
    close: () => replay.close(),
  };
};

/** SIP phones that send no media. */
class Phones {
  readonly #clients: Client[] = [];

  async call(port: number, nth: number): Promise<() => Promise<void>> {
    const client = await udpClient(port);
    this.#clients.push(client);
    const phone = new Phone(client, "100", `caller${nth}`);
    phone.invite({ body: sdp() });
    await phone.response(180);
    return async () => {
      await phone.response(200);
      phone.ack();
    };
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close();
  }
}

/** As a file: who plays it cannot know. */
function silence(): Buffer {
  const bytes = soundSeconds * wavRate * 2;
  return Buffer.concat([wavHeader(1, bytes), Buffer.alloc(bytes)]);
}

class SoundServer {
  readonly #server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "audio/wav", "Cache-Control": "max-age=3600" }).end(silence());
  });

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/silence.wav`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Calls that play, one after the other begun. */
async function playing(gateway: Gateway, server: MediaServer, heard: Heard, url: string): Promise<string[]> {
  const sessions: string[] = [];
  for (let nth = 0; nth < calls; nth++) {
    const answered = await server.call(gateway, nth);
    const session_uuid = await heard.call(`caller${nth}`);
    await gateway.command(app_id, session_uuid, "answer");
    await answered();
    await gateway.command(app_id, session_uuid, "playback/start", { urls: [url] });
    sessions.push(session_uuid);
  }
  await heard.endpoint.received("playback.started", calls);
  return sessions;
}

/** Which call is whose, as the app is told. */
class Heard {
  readonly #sessions = new Map<string, string>();
  readonly #waiting = new Map<string, (session_uuid: string) => void>();
  readonly endpoint = new Endpoint(({ event, session_uuid, data }: Arrival) => {
    const caller = data.caller_id;
    if (event !== "call.new" || session_uuid === undefined || caller === undefined) return;
    this.#sessions.set(caller, session_uuid);
    this.#waiting.get(caller)?.(session_uuid);
  });

  async call(caller: string): Promise<string> {
    return this.#sessions.get(caller) ?? new Promise((resolve) => this.#waiting.set(caller, resolve));
  }
}

interface Measured {
  readonly name: string;
  readonly own: Ran;
  readonly direct: Ran | null;
  readonly cpu_us: number;
}

async function measured(open: () => Promise<MediaServer>, progress: (line: string) => void): Promise<Measured> {
  const server = await open();
  const gateway = await Gateway.start("gateway", { MAX_SESSIONS: "1000", ...server.env });
  const heard = new Heard();
  const sounds = new SoundServer();
  const port = await heard.endpoint.listen();
  await gateway.putApp(app_id, { webhook_url: `http://127.0.0.1:${port}/`, dids: ["*"] });
  progress(`engines: ${server.name}, ${calls} calls`);
  const sessions = await playing(gateway, server, heard, await sounds.listen());
  const asked = (name: string) => (session_uuid: string) => post(command(session_uuid, name), credentials(app_id), {});
  const requests = [...sessions.map(asked("playback/pause")), ...sessions.map(asked("playback/resume"))];
  const total = server.rounds * requests.length;
  const before = await gateway.program.cpu();
  const own = await run({
    port: gateway.program.ready.port,
    requests,
    connections: 1,
    total,
    status: 202,
    every_ms: everyMs,
  });
  const after = await gateway.program.cpu();
  for (const session_uuid of sessions) await gateway.command(app_id, session_uuid, "playback/stop");
  await heard.endpoint.received("playback.stopped", calls);
  const direct = await server.direct();
  const beside = direct && (await run({ ...direct, connections: 1, total, status: 204, every_ms: everyMs }));
  await gateway.stop();
  await heard.endpoint.close();
  await server.close();
  await sounds.close();
  return { name: server.name, own, direct: beside, cpu_us: (after.own - before.own) / total };
}

export async function benchEngines(progress: (line: string) => void): Promise<Section> {
  const all: Measured[] = [];
  for (const open of [embedded, asterisk, freeswitch]) all.push(await measured(open, progress));
  const row = (name: string, { took }: Ran, cpu_us: number | null) => [
    name,
    ms(quantile(took, 0.5)),
    ms(quantile(took, 0.99)),
    ...(cpu_us === null ? ["", ""] : [whole(cpu_us), whole(1e6 / cpu_us)]),
  ];
  const rows = all.flatMap(({ name, own, direct, cpu_us }) => [
    row(name, own, cpu_us),
    ...(direct ? [row(`  the same by ${name}'s own ARI`, direct, null)] : []),
  ]);
  const more = all.flatMap(({ own, direct }) => (direct ? [quantile(own.took, 0.5) - quantile(direct.took, 0.5)] : []));
  return {
    title: `Engines: POST …/playback/pause and …/resume in turn, ${calls} calls that play, one after the other`,
    columns: ["", "p50 ms", "p99 ms", "µs CPU", "a second and core"],
    rows,
    notes: [
      `From the request to its 202: the media server has done it by then. More than ARI itself at p50: ${more.map(ms).join(", ")} ms;`,
      "wanted is no more than 1. CPU is that of the gateway with the webhooks of the results. The replayed FreeSWITCH",
      "answers at once and runs in the process of the load generator: of it only the gateway's own part tells.",
    ],
    figures: Object.fromEntries(
      all.map(({ name, own, direct, cpu_us }) => [
        name,
        {
          p50_ms: quantile(own.took, 0.5),
          p99_ms: quantile(own.took, 0.99),
          cpu_us,
          direct_p50_ms: direct && quantile(direct.took, 0.5),
        },
      ]),
    ),
  };
}
