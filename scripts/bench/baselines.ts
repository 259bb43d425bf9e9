/** What the gateway is compared with: servers that answer its commands without doing anything for them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import Ajv2020 from "ajv/dist/2020";
import addFormats from "ajv-formats";
import fastify, { type HTTPMethods } from "fastify";
import Koa from "koa";
import { koaBody } from "koa-body";
import { RE2JS } from "re2js";

/** What a command is answered with, and the headers that the contract asks for: all servers send the same bytes. */
const accepted = { operation_id: "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f60", status: "in_progress", timeout_ms: 2000 };
const headers = {
  "X-Request-ID": "6a7f1c8e-2d43-4f0a-9a77-1c2b3d4e5f61",
  "Cache-Control": "no-store",
  "RateLimit-Policy": '"app";q=10000;w=1',
  RateLimit: '"app";r=9999;t=1',
};
const constant = Object.entries({ ...headers, "Content-Type": "application/json; charset=utf-8" }).flat();

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

export function bare(): Promise<number> {
  return listen((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const body = JSON.stringify(accepted);
      const length = Buffer.byteLength(body);
      response.writeHead(202, [...constant, "Content-Length", String(length)]).end(body);
    });
  });
}

export function koa(): Promise<number> {
  const app = new Koa();
  app.use(koaBody({ jsonLimit: 65536, text: false, urlencoded: false, multipart: false }));
  app.use((ctx) => {
    ctx.set(headers);
    ctx.status = 202;
    ctx.body = accepted;
  });
  return listen(app.callback());
}

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

/** Every operation of the document, with the schemas of its parameters, body and success, as Fastify compiles them. */
export async function withFastify(): Promise<number> {
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
  for (const [route, { parameters: shared = [], ...operations }] of Object.entries(document.paths)) {
    for (const [method, { operationId, parameters = [], requestBody, responses }] of Object.entries(operations)) {
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
      app.route({
        method: method.toUpperCase() as HTTPMethods,
        url: route.replaceAll(/\{(\w+)\}/g, ":$1"),
        schema: {
          params: input("path"),
          querystring: input("query"),
          ...(requestBody && { body: requestBody.content["application/json"]?.schema }),
          ...(response && { response: { 202: response } }),
        },
        handler: (_, reply) => reply.code(202).headers(headers).send(accepted),
      });
    }
  }
  await app.listen({ host: "127.0.0.1", port: 0 });
  return (app.server.address() as AddressInfo).port;
}
