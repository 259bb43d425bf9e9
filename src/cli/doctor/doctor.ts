/** `voicegate doctor`: what is wrong with an environment, a running gateway, or a webhook endpoint, and what to do. */
import { type Command, text } from "../command";
import { gatewayUrl } from "../connection";
import { harmless, paint } from "../output";
import { type Finding, Findings } from "./finding";
import { examineGateway } from "./gateway";
import { examineWebhook } from "./webhook";

export const doctor: Command = {
  name: "doctor",
  summary: "look for what is wrong: the environment, a running gateway, a webhook endpoint",
  usage: "voicegate doctor [--url <gateway>] [--webhook <url>] [options]",
  options: {
    url: { type: "string", value: "url", about: "a gateway that runs, in place of the environment" },
    webhook: { type: "string", value: "url", about: "a webhook endpoint, as the gateway would meet it" },
    "app-id": { type: "string", env: "VOICEGATE_APP_ID", value: "id", about: "with --url: an app whose key is tried" },
    "api-key": { type: "string", env: "VOICEGATE_API_KEY", value: "key", about: "its key" },
    "admin-key": { type: "string", env: "ADMIN_API_KEY", value: "key", about: "with --url: key of the admin API" },
  },
  positionals: [],
  example: "voicegate doctor --webhook https://app.example.com/webhooks",
  about: () =>
    'Without --url it reads the environment as "voicegate serve" does, and reaches for all that it names: Redis, media\n' +
    "servers, ports, folders. Nothing is changed; an endpoint gets one POST without a signature, which it should refuse.\n" +
    "The exit code is 1 when something is wrong; warnings alone leave it at 0.",
  async run(given) {
    const { output } = given;
    const all: Finding[] = [];
    // The way to Redis takes its time to load, which no other command should.
    const { examineEnvironment, readEnvironment } = await import("./environment.js");
    const url = text(given, "url");
    if (url !== undefined) {
      const findings = new Findings("gateway");
      await examineGateway(given, gatewayUrl(given), findings);
      all.push(...findings.all);
    }
    const { config, findings } = readEnvironment(process.env);
    if (url === undefined) all.push(...findings, ...(config ? await examineEnvironment(config) : []));
    const webhook = text(given, "webhook");
    if (webhook !== undefined) {
      const rules = {
        allowHttp: config?.ALLOW_HTTP_WEBHOOKS ?? false,
        allowLocal: config?.ALLOW_LOCALHOST_WEBHOOKS ?? false,
      };
      const about = new Findings("webhook");
      await examineWebhook(webhook, rules, about);
      all.push(...about.all);
    }
    const wrong = all.filter(({ verdict }) => verdict === "wrong").length;
    if (output.json) output.print(JSON.stringify({ healthy: wrong === 0, findings: all }));
    else
      for (const line of [...all.flatMap((finding) => shown(finding, output.colours)), "", summary(all)])
        output.print(line);
    return wrong === 0 ? 0 : 1;
  },
};

const signs = { good: ["ok   ", "green"], warning: ["warn ", "yellow"], wrong: ["WRONG", "red"] } as const;

function shown({ about, verdict, message, fix }: Finding, colours: boolean): string[] {
  const [sign, colour] = signs[verdict];
  const line = `${paint(colours, colour, sign)}  ${about}: ${harmless(message)}`;
  return fix === undefined ? [line] : [line, `       ${harmless(fix)}`];
}

function summary(all: readonly Finding[]): string {
  const count = (verdict: Finding["verdict"]) => all.filter((finding) => finding.verdict === verdict).length;
  const [wrong, warnings] = [count("wrong"), count("warning")];
  const counted = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return wrong + warnings === 0
    ? "Nothing is wrong."
    : `${counted(wrong, "problem")}, ${counted(warnings, "warning")}.`;
}
