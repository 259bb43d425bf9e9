/** The media servers of the environment: do they answer, and take the password? */
import type { AsteriskNode, FreeswitchNode } from "../../values";
import { type Findings, judgeClock, why } from "./finding";
import { open, reach, within } from "./reach";

/** Bytes of a server that talks too much. */
const heardMost = 65_536;

/** The event socket: its greeting, and its answer to the password. */
export async function examineFreeswitch(node: FreeswitchNode, findings: Findings): Promise<void> {
  const socket = await open(node.host, node.host, node.port, findings);
  if (!socket) return;
  let heard = "";
  let more: () => void = () => undefined;
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1").slice(0, heardMost - heard.length);
    more();
  });
  const gone = new Promise<never>((_, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("it closed the connection")));
  });
  // It may close once all was heard.
  gone.catch(() => undefined);
  const hear = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(heard);
      if (found) return found;
      await new Promise<void>((resolve) => {
        more = resolve;
      });
    }
  };
  try {
    const greeting = await within(Promise.race([hear(/^Content-Type: (\S+)/m), gone]));
    if (greeting[1] !== "auth/request") throw new Error(`it says ${greeting[1]}`);
    socket.write(`auth ${node.password}\n\n`);
    const [, reply = ""] = await within(Promise.race([hear(/^Reply-Text: (.*)$/m), gone]));
    if (reply.startsWith("+OK")) findings.good("Its event socket takes the password.");
    else
      findings.wrong(
        `Its event socket refuses the password: ${reply.trim()}.`,
        `Mend the password of ${node.node} in FREESWITCH_NODES: it is that of event_socket.conf.xml.`,
      );
  } catch (error) {
    findings.wrong(
      `It does not speak as an event socket: ${why(error)}.`,
      "Load mod_event_socket, and let this address through its apply-inbound-acl.",
    );
  } finally {
    socket.destroy();
  }
}

/** ARI: who it is, by user and password. */
export async function examineAsterisk(node: AsteriskNode, findings: Findings): Promise<void> {
  const root = node.url.replace(/\/+$/, "");
  if (!(await reach(new URL(root), findings, { local: null }))) return;
  const authorization = `Basic ${Buffer.from(`${node.user}:${node.password}`).toString("base64")}`;
  try {
    const response = await fetch(`${root}/ari/asterisk/ping`, {
      headers: { authorization },
      signal: AbortSignal.timeout(5000),
      redirect: "manual",
    });
    const text = (await response.text()).slice(0, heardMost);
    if (response.status === 401)
      findings.wrong(
        "Its ARI refuses the user or the password.",
        `Mend ${node.node} in ASTERISK_NODES: they are those of ari.conf.`,
      );
    else if (!response.ok || !text.includes("pong"))
      findings.wrong(
        `It answers ${response.status} where ARI should be.`,
        "Set enabled = yes in ari.conf and http.conf, and name the root of the server, without /ari.",
      );
    else {
      findings.good("Its ARI takes user and password.");
      const date = Date.parse(response.headers.get("date") ?? "");
      if (!Number.isNaN(date)) judgeClock(findings, `Asterisk ${node.node}`, date - Date.now(), 1000);
    }
  } catch (error) {
    findings.wrong(`Its ARI does not answer: ${why(error)}.`, "Set enabled = yes in ari.conf and http.conf.");
  }
}
