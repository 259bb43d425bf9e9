/** Lines for a shell that do an exchange again. */
import type { Exchange } from "../check";

/** The program writes these by itself, and better. */
const byCurl = new Set(["host", "connection", "content-length", "user-agent", "accept", "accept-encoding"]);
/** How a body ends that was too long to be kept whole. */
const shortened = /… \(\d+ in all\)$/;

/**
 * One line with curl, or the line that the exchange brought with it. What is written as `$NAME` in a header is left to the
 * shell: that is how credentials stand in a masked report.
 */
export function repeatLine(exchange: Exchange): string {
  if (exchange.repeat !== undefined) return exchange.repeat;
  const { method, url, request } = exchange;
  const words = ["curl", "-i"];
  const has = (name: string) => Object.keys(request.headers).some((each) => each.toLowerCase() === name);
  const sends = request.body !== "";
  if (method === "HEAD") words.push("--head");
  else if (method !== (sends ? "POST" : "GET")) words.push("-X", quoted(method));
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || byCurl.has(name.toLowerCase())) continue;
    for (const each of typeof value === "string" ? [value] : value)
      words.push("-H", each === "" ? quoted(`${name};`) : open(`${name}: ${each}`));
  }
  // curl would make it a form.
  if (sends && !has("content-type")) words.push("-H", quoted("Content-Type:"));
  if (sends && shortened.test(request.body)) words.push("--data-binary", "@body.json");
  else if (sends) words.push("--data-binary", open(request.body));
  words.push(quoted(url));
  const note = sends && shortened.test(request.body) ? "   # body.json: the body, which is too long for a line" : "";
  return words.join(" ") + note;
}

/**
 * Sends bytes over a bare connection, for what no HTTP client would send.
 *
 * @param url whose host and port are meant
 * @param bytes one character for each byte
 */
export function netcatLine(url: string, bytes: string): string {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const number = port || (protocol === "https:" ? "443" : "80");
  const to =
    protocol === "https:"
      ? `openssl s_client -quiet -connect ${quoted(`${host}:${number}`)}`
      : `nc -w 5 ${host} ${number}`;
  const printed: string[] = [];
  let from = 0;
  // Never cut elsewhere: a key that is in it is masked later, as a whole.
  const print = (to: number) => {
    if (to > from) printed.push(`printf ${quoted(escaped(bytes.slice(from, to)))}`);
  };
  for (const { index, 0: run } of bytes.matchAll(longRun)) {
    print(index);
    printed.push(`head -c ${run.length} /dev/zero | tr '\\0' ${quoted(`\\${octal(run.charCodeAt(0))}`)}`);
    from = index + run.length;
  }
  print(bytes.length);
  return `${printed.length === 1 ? printed[0] : `{ ${printed.join("; ")}; }`} | ${to}`;
}

/** So many of one byte are not written out. */
const longRun = /([\s\S])\1{999,}/g;

/** A masked credential: the shell puts it in. */
const variable = /\$[A-Z][A-Z_]*/g;

/** In single quotes, but for the names of variables. */
function open(text: string): string {
  const parts = text.split(/(\$(?:ADMIN_API_KEY|VOICEGATE_API_KEY|WEBHOOK_SECRET|OLD_WEBHOOK_SECRET))/);
  return parts
    .filter((part) => part !== "")
    .map((part) => (part.startsWith("$") && part.replace(variable, "") === "" ? `"${part}"` : quoted(part)))
    .join("");
}

/** One word of a shell; what a terminal would obey is written out, in the way of bash, ksh and zsh. */
export function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (/\p{Cc}/u.test(text)) {
    const plain = text.replaceAll(/[\\']/g, "\\$&");
    return `$'${plain.replaceAll(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
  }
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const octal = (code: number): string => (code & 0xff).toString(8).padStart(3, "0");

/** For the format of printf. */
function escaped(bytes: string): string {
  let text = "";
  for (const char of bytes) {
    const code = char.charCodeAt(0);
    if (char === "\r") text += "\\r";
    else if (char === "\n") text += "\\n";
    else if (char === "\\") text += "\\\\";
    else if (char === "%") text += "%%";
    else if (code < 0x20 || code > 0x7e) text += `\\${octal(code)}`;
    else text += char;
  }
  return text;
}

/**
 * Delivers an event as it was, signed by the shell at that moment: a signature is good for five minutes.
 *
 * @param clock seconds that the sender's clock is off
 */
export function signedLine(url: string, id: string, body: string, clock: number): string {
  const key = `hexkey:$(printf %s "\${WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')`;
  const time = clock === 0 ? "$(date +%s)" : `$(($(date +%s)${clock < 0 ? "" : "+"}${clock}))`;
  const long = body.length > 4096;
  const set = `ID=${quoted(id)}; TS=${time}; BODY=${long ? '"$(cat body.json)"' : quoted(body)}`;
  const sign = `SIG=$(printf %s "$ID.$TS.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "${key}" -binary | base64)`;
  const headers = `-H 'Content-Type: application/json' -H "webhook-id: $ID" -H "webhook-timestamp: $TS" -H "webhook-signature: v1,$SIG"`;
  return `${set}; ${sign}; curl -i ${headers} --data-binary "$BODY" ${quoted(url)}`;
}
