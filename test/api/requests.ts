/** Heads of requests, byte for byte. */
import { admin } from "./place";

export const head = (line: string, ...fields: string[]) => [line, "Host: gateway", ...fields, "", ""].join("\r\n");

export const live = (...fields: string[]) => head("GET /live HTTP/1.1", ...fields);

export const json = "Content-Type: application/json";

/** A request that reads a JSON body of up to 1 MiB, up to the end of its head. */
export const putApp = (...fields: string[]) =>
  head("POST /admin/apps/raw HTTP/1.1", `X-Admin-API-Key: ${admin["X-Admin-API-Key"]}`, json, ...fields);
