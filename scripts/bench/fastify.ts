/** Fastify with every operation of the document, which answers commands without doing anything for them, admitted or not. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import fastify, { type HTTPMethods, type RawServerDefault, type RouteHandlerMethod } from "fastify";
import { RE2JS } from "re2js";
import { operations } from "../../generated/operations";
import type { CommandAdmission, Quota } from "../../src/store/store";
import { accepted, limited } from "./accepted";

/** A command of a call, as it is to be admitted. */
export interface Asked {
  readonly app_id: string;
  readonly api_key: string;
  readonly session_uuid: string;
  readonly command: string;
  readonly command_uid: string | undefined;
  readonly guards: CommandAdmission["guards"];
  readonly cooldown: CommandAdmission["cooldown"];
  readonly timeout_ms: number;
}

export interface Verdict {
  readonly status: number;
  readonly operation_id: string;
  readonly quota: Pick<Quota, "limit" | "remaining" | "reset_ms">;
}

export type Admit = (asked: Asked) => Promise<Verdict>;

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: object;
}

type Content = Readonly<Record<string, { readonly schema: object }>>;

interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>> & { parameters?: readonly Parameter[] }>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}

interface CommandRoute {
  Params: { uuid: string };
  Body: { command_uid?: string } | undefined;
}

type Handler = RouteHandlerMethod<RawServerDefault, IncomingMessage, ServerResponse, CommandRoute>;
type Fixed = Pick<Asked, "command" | "guards" | "cooldown" | "timeout_ms">;

const commandTimeoutMs = 2000;

const constant: Handler = (_, reply) => reply.code(202).headers(limited(null)).send(accepted(null));

function admitted(admit: Admit, command: Fixed): Handler {
  return async ({ params, body, headers }, reply) => {
    const { status, operation_id, quota } = await admit({
      ...command,
      app_id: String(headers["x-app-id"]),
      api_key: String(headers["x-api-key"]),
      session_uuid: params.uuid,
      command_uid: body?.command_uid,
    });
    return reply.code(status).headers(limited(quota)).send(accepted(operation_id));
  };
}

/** What is the same of each request of an operation; null: it is no command of a call. */
function commandOf(id: string): Fixed | null {
  const operation = Object.entries(operations).find(([name]) => name === id)?.[1];
  const command = operation?.command ?? null;
  if (!operation || command === null || command.of !== "session") return null;
  const { name, cooldown, timeout_ms } = command;
  const timeout = timeout_ms === "COMMAND_TIMEOUT_MS" ? commandTimeoutMs : timeout_ms;
  return { command: name, guards: operation.guards, cooldown, timeout_ms: timeout };
}

/**
 * Every operation of the document, with the schemas of its parameters, body and success, as Fastify compiles them.
 * @param admit asked for each command of a call
 */
export async function withFastify(admit: Admit | null): Promise<number> {
  const name = "openapi.json";
  const text = readFileSync(path.join(__dirname, "../../../generated", name), "utf8");
  // References lead to the document from wherever a schema is compiled.
  const document: Document = JSON.parse(text.replaceAll('"#/', `"${name}#/`));
  const { components } = document;
  const ajv = new Ajv2020({ strict: false, useDefaults: true, $data: true });
  addFormats(ajv);
  ajv.addFormat("http-url", { type: "string", validate: (url) => /^https?:\/\//i.test(url) && URL.canParse(url) });
  ajv.addFormat("re2", { type: "string", validate: (pattern) => Boolean(RE2JS.compile(pattern)) });
  ajv.addSchema({ components }, name);
  const app = fastify();
  app.addSchema({ $id: name, components });
  app.setValidatorCompiler(({ schema }) => ajv.compile(schema));
  for (const [route, { parameters: shared = [], ...methods }] of Object.entries(document.paths)) {
    for (const [method, { operationId, parameters = [], requestBody, responses }] of Object.entries(methods)) {
      if (operationId === undefined) continue;
      const all = [...shared, ...parameters].map(
        (given) => components.parameters[given.$ref?.split("/").at(-1) ?? ""] ?? given,
      );
      const input = (place: string) => {
        const here = all.filter((parameter) => parameter.in === place);
        const required = here.filter((parameter) => parameter.required).map((parameter) => parameter.name);
        return { type: "object", required, properties: Object.fromEntries(here.map((p) => [p.name, p.schema])) };
      };
      const response = responses["202"]?.content?.["application/json"]?.schema;
      const command = admit && commandOf(operationId);
      app.route<CommandRoute>({
        method: method.toUpperCase() as HTTPMethods,
        url: route.replaceAll(/\{(\w+)\}/g, ":$1"),
        schema: {
          params: input("path"),
          querystring: input("query"),
          ...(requestBody && { body: requestBody.content["application/json"]?.schema }),
          ...(response && { response: { 202: response } }),
        },
        handler: admit && command ? admitted(admit, command) : constant,
      });
    }
  }
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
}
