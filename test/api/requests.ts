/** Heads of requests, byte for byte. */
import { headFor, json } from "../../src/conformance/gateway/requests/raw_requests";
import { admin } from "./place";

export { json };
export const head = headFor("gateway");

export const live = (...fields: string[]) => head("GET /live HTTP/1.1", ...fields);

/** A request that reads a JSON body of up to 1 MiB, up to the end of its head. */
export const putApp = (...fields: string[]) =>
  head("POST /admin/apps/raw HTTP/1.1", `X-Admin-API-Key: ${admin["X-Admin-API-Key"]}`, json, ...fields);
