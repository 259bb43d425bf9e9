/** What the catalogue promises for a provocation, and the operations that promise it. */
import { expect, test } from "@jest/globals";
import { errors } from "../../generated/operations";
import { bytesOf } from "../../src/conformance/gateway/ground/wire";
import type { HttpRequest, RoutedId } from "../../src/conformance/gateway/requests/requests";
import type { ErrorCode } from "../../src/contract";
import type { AnswerId, Client, ClientResponse } from "../api/client";
import { Wire, type WireResponse } from "../api/wire";

const isRouted = (id: AnswerId): id is RoutedId => !id.startsWith("http.");

/** Operations with a path that declare an error. */
export function declaring(code: ErrorCode): readonly RoutedId[] {
  const ids: readonly AnswerId[] = errors[code].operations;
  return ids.filter(isRouted);
}

/** One test for each of them. */
export function forEachDeclaring(code: ErrorCode, work: (id: RoutedId) => Promise<void>): void {
  test.each(declaring(code))(`%s: ${errors[code].status} ${errors[code].message}`, work);
}

/** The whole answer is what the catalogue says. */
export function expectError(answer: { readonly status: number; readonly body: unknown }, code: ErrorCode): void {
  const { status, message, detail } = errors[code];
  const body = { success: false, error: message, code, ...(detail && { detail: expect.any(Object) }) };
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
}

/** @returns what was answered, after it was found to be this error of this operation */
export async function provoke(
  client: Client,
  request: HttpRequest,
  id: AnswerId,
  code: ErrorCode,
): Promise<ClientResponse> {
  const answer = await client.request(request);
  expectError(answer, code);
  expect(answer.operation).toBe(id);
  return answer;
}

/** Reads the answer to a request from a socket. @throws when the connection was closed instead */
export async function answered(wire: Wire, { method, path }: HttpRequest): Promise<WireResponse> {
  const response = await wire.response(method, path);
  if (!response) throw new Error(`no answer to ${method} ${path}`);
  return response;
}

/** Two requests in one packet, on a connection of their own. */
export async function pair(url: string, ...both: [HttpRequest, HttpRequest]): Promise<[WireResponse, WireResponse]> {
  const wire = await Wire.open(Number(new URL(url).port));
  try {
    wire.write(both.map((request) => bytesOf(request)).join(""));
    return [await answered(wire, both[0]), await answered(wire, both[1])];
  } finally {
    wire.destroy();
  }
}
