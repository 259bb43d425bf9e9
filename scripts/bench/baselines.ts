/** What the gateway is compared with: servers that answer its commands without doing anything for them. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import { koaBody } from "koa-body";
import { accepted, limited } from "./accepted";

const constant = Object.entries({ ...limited(null), "Content-Type": "application/json; charset=utf-8" }).flat();

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
      const body = JSON.stringify(accepted(null));
      const length = Buffer.byteLength(body);
      response.writeHead(202, [...constant, "Content-Length", String(length)]).end(body);
    });
  });
}

export function koa(): Promise<number> {
  const app = new Koa();
  app.use(koaBody({ jsonLimit: 65536, text: false, urlencoded: false, multipart: false }));
  app.use((ctx) => {
    ctx.set(limited(null));
    ctx.status = 202;
    ctx.body = accepted(null);
  });
  return listen(app.callback());
}
