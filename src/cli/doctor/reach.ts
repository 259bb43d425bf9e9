/** The way to a URL, step by step: name, address, port, certificate. */
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import { isForbidden } from "../../outbound/addresses";
import { type Findings, why } from "./finding";

/** How long each step may take, in ms. */
const patienceMs = 5000;
/** Days that a certificate should have left. */
const daysLeft = 14;
const dayMs = 86_400_000;
/** A connection that takes longer is worth a word, in ms. */
const slowMs = 500;

export interface ReachOptions {
  /** Null: any address will do. Else whether local ones are allowed, as the gateway has it, and by which variable. */
  readonly local: { readonly allowed: boolean; readonly variable: string } | null;
}

/** @returns whether a request could be sent there */
export async function reach(url: URL, findings: Findings, { local }: ReachOptions): Promise<boolean> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await resolve(host, findings);
  if (!addresses) return false;
  const forbidden = local && addresses.filter((address) => isForbidden(address, local.allowed));
  if (local && forbidden && forbidden.length > 0) {
    findings.wrong(
      `${host} is ${forbidden.join(", ")}: the gateway connects to no such address.`,
      `Use a public address, or set ${local.variable}=true where that is meant.`,
    );
    return false;
  }
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const socket = await open(host, addresses[0] ?? host, port, findings);
  if (!socket) return false;
  if (url.protocol !== "https:") {
    socket.destroy();
    return true;
  }
  return secure(socket, host, findings);
}

async function resolve(host: string, findings: Findings): Promise<string[] | null> {
  if (isIP(host) !== 0) return [host];
  try {
    const addresses = (await lookup(host, { all: true })).map(({ address }) => address);
    findings.good(`${host} is ${addresses.join(", ")}.`);
    return addresses;
  } catch (error) {
    findings.wrong(
      `The name ${host} leads nowhere: ${why(error)}.`,
      "Look at its spelling, and at the DNS of this machine.",
    );
    return null;
  }
}

/** A TCP connection; null when there is none, which is told. */
export async function open(host: string, address: string, port: number, findings: Findings): Promise<Socket | null> {
  const began = performance.now();
  const socket = connectTcp({ host: address, port });
  try {
    await within(once(socket, "connect"));
  } catch (error) {
    socket.destroy();
    const refused = why(error).includes("ECONNREFUSED");
    findings.wrong(
      `Nothing can be reached at ${host}, port ${port}: ${why(error)}.`,
      refused
        ? "Start what should listen there, or mend the port."
        : "Look whether it runs, and at the firewalls between.",
    );
    return null;
  }
  const ms = Math.round(performance.now() - began);
  if (ms > slowMs)
    findings.warning(
      `Connecting to ${host}, port ${port}, takes ${ms} ms.`,
      "Commands and webhooks wait so long: move them nearer.",
    );
  else findings.good(`${host}, port ${port}, is there (${ms} ms).`);
  return socket;
}

/** Rejects when it takes too long. */
export async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function secure(under: Socket, host: string, findings: Findings): Promise<boolean> {
  // Not refused at once: what is wrong with the certificate is what is to be told.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ socket: under, rejectUnauthorized: false, ...servername });
  try {
    await within(once(socket, "secureConnect"));
    const certificate = socket.getPeerCertificate();
    const problem = socket.authorizationError as Error | string | null | undefined;
    const trusted = problem ? trouble(String(problem instanceof Error ? problem.message : problem)) : null;
    return judge(certificate, host, trusted, socket.getProtocol() ?? "TLS", findings);
  } catch (error) {
    findings.wrong(
      `${host} does not speak TLS there: ${why(error)}.`,
      "Look whether the URL should be http, or its port another.",
    );
    return false;
  } finally {
    socket.destroy();
  }
}

/** OpenSSL's words for what is wrong with a chain. */
function trouble(code: string): { readonly message: string; readonly fix: string } | null {
  // The dates and the name are looked at by themselves, and told with more.
  if (/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|ERR_TLS_CERT_ALTNAME_INVALID/.test(code)) return null;
  if (/SELF_SIGNED/.test(code))
    return {
      message: "is signed by itself, or by an authority that this machine does not know",
      fix: "Use a certificate of a known authority, or make this one known: NODE_EXTRA_CA_CERTS=/path/to/ca.pem for the gateway.",
    };
  return {
    message: `has a chain that leads to no known authority (${code})`,
    fix: "Serve the intermediate certificates as well (the full chain), or make the authority known by NODE_EXTRA_CA_CERTS.",
  };
}

function judge(
  certificate: PeerCertificate,
  host: string,
  chain: ReturnType<typeof trouble>,
  protocol: string,
  findings: Findings,
): boolean {
  const whose = `The certificate of ${host}`;
  const until = Date.parse(certificate.valid_to);
  const days = Math.floor((until - Date.now()) / dayMs);
  const day = Number.isNaN(until) ? "" : new Date(until).toISOString().slice(0, 10);
  const misnamed = checkServerIdentity(host, certificate);
  if (until < Date.now()) findings.wrong(`${whose} expired on ${day}.`, "Renew it.");
  else if (Date.parse(certificate.valid_from) > Date.now())
    findings.wrong(`${whose} is not valid before ${certificate.valid_from}.`, "Look at the clock of this machine.");
  else if (days < daysLeft) findings.warning(`${whose} expires on ${day}, in ${days} days.`, "Renew it in time.");
  else findings.good(`${whose} is valid until ${day} (${protocol}).`);
  if (chain) findings.wrong(`${whose} ${chain.message}.`, chain.fix);
  if (misnamed)
    findings.wrong(
      `${whose} is for another name: ${misnamed.message}.`,
      "Use the name that it is for, or one for this name.",
    );
  return until >= Date.now() && !chain && !misnamed;
}
