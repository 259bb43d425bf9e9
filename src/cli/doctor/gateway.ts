/** A gateway that runs: is it well, and are its media servers there? */
import { type Client, createClient } from "../../client/index";
import { type Given, text } from "../command";
import { type Findings, judgeClock } from "./finding";
import { reach } from "./reach";

export async function examineGateway(given: Given, url: string, findings: Findings): Promise<void> {
  if (!(await reach(new URL(url), findings, { local: null }))) return;
  const appId = text(given, "app-id");
  const apiKey = text(given, "api-key");
  const adminApiKey = text(given, "admin-key");
  const app = appId !== undefined && apiKey !== undefined ? { appId, apiKey } : null;
  // What needs no credentials is asked without: then a key that is none does no harm.
  const about = { baseUrl: url, retry: false, adminApiKey: adminApiKey ?? "" } as const;
  const client = app ? createClient({ ...about, ...app }) : createClient(about);
  await health(client, findings);
  if (adminApiKey !== undefined) await administration(client, findings);
  if (app) {
    const { error } = await client.listSessions({ limit: 1 });
    if (error)
      findings.wrong(
        `The app's credentials do not work: ${error.message}.`,
        'Mend --app-id and --api-key; "voicegate apps create --replace --key" sets a new key.',
      );
    else findings.good(`The app ${app.appId} has access.`);
  }
}

async function health(client: Client, findings: Findings): Promise<void> {
  const began = performance.now();
  const { data, error, headers } = { headers: new Headers(), ...(await client.getHealth()) };
  const ms = Math.round(performance.now() - began);
  if (error) {
    const fix =
      error.code === "unexpected_answer"
        ? "Look whether this is a gateway, and what stands before it."
        : "Look into the log of the gateway, and at its Redis.";
    findings.wrong(`It is not well: ${error.message}${error.status === null ? "" : ` (${error.status})`}.`, fix);
    return;
  }
  findings.good(`It is well (${ms} ms).`);
  for (const { node, engine, connected } of data.nodes) {
    if (connected) findings.good(`Media node ${node} (${engine}) is connected.`);
    else
      findings.wrong(
        `Media node ${node} (${engine}) is not connected.`,
        `Look whether it runs; on the gateway's machine "voicegate doctor" looks at its way there.`,
      );
  }
  if (data.nodes.length === 0)
    findings.wrong(
      "It has no media node: nobody can call.",
      "Set EMBEDDED_ENGINE, FREESWITCH_NODES or ASTERISK_NODES.",
    );
  const date = Date.parse(headers.get("date") ?? "");
  if (!Number.isNaN(date)) judgeClock(findings, "the gateway", date - Date.now(), 1000 + ms);
}

async function administration(client: Client, findings: Findings): Promise<void> {
  const { data, error } = await client.listApps();
  if (error) {
    findings.wrong(`The admin API refuses: ${error.message}.`, "Mend --admin-key: it is ADMIN_API_KEY of the gateway.");
    return;
  }
  findings.good(`It has ${data.apps.length} apps.`);
  for (const { app_id, webhook_disabled_at } of data.apps)
    if (webhook_disabled_at !== null)
      findings.warning(
        `The webhooks of ${app_id} are off since ${webhook_disabled_at}.`,
        `Mend its receiver, then: voicegate apps create ${app_id} --replace ….`,
      );
}
