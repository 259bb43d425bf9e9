/** Many callers that nobody here wrote: sipp, each of its calls by one scenario. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const headers = (cseq: string, to: string) => `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller-[call_number]@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>${to}
Call-ID: [call_id]
CSeq: ${cseq}
Contact: <sip:caller-[call_number]@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70`;

const send = (text: string, attributes = "") => `<send ${attributes}><![CDATA[
${text}
]]></send>`;

/** G.711 A-law and digits; its RTP goes nowhere. */
const offer = `Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000`;

const within = "[next_url] SIP/2.0";

/** Calls, keys a digit by INFO, and waits for a BYE with this Q.850 cause. */
const scenario = (digit: string, q850: number) => `<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
${send(`INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n${headers("1 INVITE", "")}\n${offer}`, 'retrans="500"')}
<recv response="100" optional="true"/>
<recv response="180"/>
<recv response="200" rrs="true"/>
${send(`ACK ${within}\n${headers("1 ACK", "[peer_tag_param]")}\nContent-Length: 0\n`)}
${send(
  `INFO ${within}\n${headers("2 INFO", "[peer_tag_param]")}\nContent-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal=${digit}\nDuration=160`,
  'retrans="500"',
)}
<recv response="200"/>
<recv request="BYE">
  <action>
    <ereg regexp="Q.850;cause=${q850};" search_in="hdr" header="Reason:" check_it="true" assign_to="1"/>
  </action>
</recv>
${send(`SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
`)}
<Reference variables="1"/>
</scenario>
`;

export interface Callers {
  readonly transport: "UDP" | "TCP";
  readonly calls: number;
  /** Of the gateway. */
  readonly port: number;
  readonly digit: string;
  readonly q850: number;
}

/**
 * All of them call at once. Resolves when each call went as it should, to its end.
 * @throws what sipp says of those that did not
 */
export async function callers({ transport, calls, port, digit, q850 }: Callers): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "voicegate-sipp-"));
  await writeFile(path.join(folder, "caller.xml"), scenario(digit, q850));
  const options = ["-sf", "caller.xml", "-s", "100", "-i", "127.0.0.1", "-t", transport === "UDP" ? "u1" : "t1"];
  const numbers = ["-m", calls, "-l", calls, "-r", calls, "-timeout", "25s"].map(String);
  const quiet = ["-nostdin", "-trace_err", "-error_file", "errors.log", "-timeout_error"];
  const all = [`127.0.0.1:${port}`, ...options, ...numbers, ...quiet];
  const sipp = spawn("sipp", all, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  sipp.stderr.on("data", (text: Buffer) => {
    said += text.toString("latin1");
  });
  try {
    const [code] = await once(sipp, "close");
    if (code === 0) return;
    const written = (await readdir(folder)).includes("errors.log");
    const errors = written ? await readFile(path.join(folder, "errors.log"), "latin1") : "";
    throw new Error(`it exits ${code}: ${said}${errors}`.slice(0, 1500));
  } catch (error) {
    throw new Error("sipp (package sip-tester) failed", { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}
