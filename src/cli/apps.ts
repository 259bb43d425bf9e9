/** `voicegate apps`: the apps of a gateway, by its admin API. */
import type { Data, Input } from "../client/index";
import { type Command, type Given, is, text, texts, whole } from "./command";
import { adminOptions, connect, refused } from "./connection";
import { eventName } from "./event_name";
import { columns } from "./output";

type App = Data<"getApp">;

const appId = { name: "app_id", about: "letters, digits, _ and -" };

/** An app as rows of name and value. */
function rowsOf(app: Omit<App, "success">): string[] {
  const rows = Object.entries(app).flatMap(([name, value]) => {
    if (name === "success") return [];
    const shown = Array.isArray(value) ? value.join(", ") || "all" : (value ?? "-");
    return [[name, name === "dids" && shown === "all" ? "none" : String(shown)]];
  });
  return columns(rows);
}

/** A list that may be given by commas, by several options, or both. */
function listed(given: Given, name: string): string[] {
  return texts(given, name)
    .flatMap((each) => each.split(","))
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

export const appsCreate: Command = {
  name: "apps create",
  summary: "make an app; its key and its secret are shown once",
  usage: "voicegate apps create <app_id> --webhook-url <url> [options]",
  options: {
    ...adminOptions,
    "webhook-url": {
      type: "string",
      value: "url",
      about: "where its events go; without it they are kept only",
    },
    did: {
      type: "string",
      multiple: true,
      value: "number",
      about: "a number whose calls it gets; 49* for all that begin so",
    },
    event: { type: "string", multiple: true, value: "name", about: "an event that it wants; all without it" },
    "rate-limit": { type: "string", value: "number", about: "requests per second; 0 is the gateway's default" },
    key: { type: "string", value: "key", about: "its API key, at least 16 characters; made up without it" },
    replace: {
      type: "boolean",
      about: "also when there is one: what is not given goes to its default, key and secret stay",
    },
  },
  positionals: [appId],
  example: "voicegate apps create shop --webhook-url http://127.0.0.1:3000/webhooks --did 200",
  async run(given) {
    const { url, client } = connect(given, "admin");
    const [app_id = ""] = given.positionals;
    const key = text(given, "key");
    const body: Input<"putApp">["body"] = {
      webhook_url: text(given, "webhook-url") ?? "",
      rate_limit: whole(given, "rate-limit", 0, 10_000) ?? 0,
      dids: listed(given, "did"),
      events: listed(given, "event").map(eventName),
      ...(key !== undefined && { api_key: key }),
    };
    if (!is(given, "replace")) {
      const before = await client.getApp({ app_id }, { signal: given.signal });
      if (before.data) {
        given.output.error(`There is an app ${app_id}: --replace sets it anew.`);
        return 1;
      }
      if (before.error && before.error.code !== "app_not_found") return refused(before.error, url, given.output);
    }
    const { data, error } = await client.putApp({ app_id, body }, { signal: given.signal });
    if (error) return refused(error, url, given.output);
    if (given.output.json) given.output.print(JSON.stringify(data));
    else for (const line of rowsOf(data)) given.output.print(line);
    if (data.webhook_secret !== undefined)
      given.output.progress("Keep the key and the secret: they are not shown again.");
    return 0;
  },
};

export const appsList: Command = {
  name: "apps list",
  summary: "list the apps",
  usage: "voicegate apps list",
  options: adminOptions,
  positionals: [],
  example: "voicegate apps list",
  async run(given) {
    const { url, client } = connect(given, "admin");
    const { data, error } = await client.listApps({}, { signal: given.signal });
    if (error) return refused(error, url, given.output);
    if (given.output.json) {
      given.output.print(JSON.stringify(data));
      return 0;
    }
    const rows = data.apps.map(({ app_id, webhook_url, dids, webhook_disabled_at }) => {
      return [app_id, dids.join(" ") || "-", webhook_disabled_at === null ? "" : "OFF", webhook_url || "-"];
    });
    for (const line of columns([["APP", "NUMBERS", "", "WEBHOOKS"], ...rows])) given.output.print(line);
    return 0;
  },
};

export const appsShow: Command = {
  name: "apps show",
  summary: "show an app, without its key and its secret",
  usage: "voicegate apps show <app_id>",
  options: adminOptions,
  positionals: [appId],
  example: "voicegate apps show demo",
  async run(given) {
    const { url, client } = connect(given, "admin");
    const [app_id = ""] = given.positionals;
    const { data, error } = await client.getApp({ app_id }, { signal: given.signal });
    if (error) return refused(error, url, given.output);
    if (given.output.json) given.output.print(JSON.stringify(data));
    else for (const line of rowsOf(data)) given.output.print(line);
    return 0;
  },
};

export const appsRotate: Command = {
  name: "apps rotate",
  summary: "give an app a new webhook secret; the old one signs as well for 24 hours",
  usage: "voicegate apps rotate <app_id>",
  options: adminOptions,
  positionals: [appId],
  example: "voicegate apps rotate demo",
  async run(given) {
    const { url, client } = connect(given, "admin");
    const [app_id = ""] = given.positionals;
    const { data, error } = await client.rotateWebhookSecret({ app_id }, { signal: given.signal });
    if (error) return refused(error, url, given.output);
    given.output.print(given.output.json ? JSON.stringify(data) : data.webhook_secret);
    return 0;
  },
};

export const appsDelete: Command = {
  name: "apps delete",
  summary: "delete an app: its key stops at once, its calls are ended",
  usage: "voicegate apps delete <app_id>",
  options: adminOptions,
  positionals: [appId],
  example: "voicegate apps delete shop",
  async run(given) {
    const { url, client } = connect(given, "admin");
    const [app_id = ""] = given.positionals;
    const { data, error } = await client.deleteApp({ app_id }, { signal: given.signal });
    if (error) return refused(error, url, given.output);
    given.output.print(given.output.json ? JSON.stringify(data) : `${app_id} is deleted`);
    return 0;
  },
};
