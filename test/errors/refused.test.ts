/** What a single request can do wrong, for every operation: the tests that the document writes. */
import { afterAll, beforeAll, describe, test } from "@jest/globals";
import { operations } from "../../generated/operations";
import { exampleRequest, type RoutedId } from "../../src/conformance/gateway/requests/requests";
import { violationsOf } from "../../src/conformance/gateway/requests/violations";
import type { OperationId } from "../../src/contract";
import { TestGateway } from "../gateway";
import { provoke } from "./expected";

let place: TestGateway;
beforeAll(async () => {
  place = await TestGateway.start({ env: { EMBEDDED_ENGINE: "false" } });
});
afterAll(() => place.close());

const routed: readonly RoutedId[] = [...(Object.keys(operations) as OperationId[]), "commands.unknown"];

describe.each(routed.filter((id) => violationsOf(id).length > 0))("%s", (id) => {
  test.each(violationsOf(id))("$code: $name", async ({ code, violate }) => {
    await provoke(place.client, violate(exampleRequest(id, place)), id, code);
  });
});
