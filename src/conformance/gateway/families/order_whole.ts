/**
 * The order of the checks as a whole: for every operation all that one request can do wrong at once, then all but the
 * first, and so on to the last. Each answer is the first error that is left, so that no check has moved before any of
 * those that come earlier.
 */
import { errors } from "../../../../generated/operations";
import type { Check } from "../../check";
import { expectFailure } from "../requests/failure";
import { exampleRequest, type RoutedId, routed } from "../requests/requests";
import { originOf } from "../requests/states";
import { inOrder, type NamedViolation } from "../requests/violations";
import type { World } from "../world";
import { authenticating, lane } from "./errors";

function checkOf(id: RoutedId, first: NamedViolation, others: readonly NamedViolation[]): Check<World> {
  const { code } = first;
  const { status, message, step } = errors[code];
  return {
    id: `order/${id}/${code}-before-all`,
    title: `${id}: "${status} ${message}" comes before everything that follows it`,
    clause: `order of checks: step ${step} and later ones`,
    profile: "full",
    ...(authenticating(code) && { lane }),
    limitMs: 120_000,
    async run(world) {
      const sound = exampleRequest(id, originOf(world, await world.main()));
      // The last first: those that come earlier must not be undone.
      const wrong = [first, ...others].reduceRight((request, { violate }) => violate(request), sound);
      const also = others.map((other) => other.code).join(", ");
      expectFailure(await world.request(wrong), code, `the request earns ${also} as well`);
    },
  };
}

export function orderWhole(): Check<World>[] {
  return routed.flatMap((id) => {
    const violations = inOrder(id);
    return violations.flatMap((first, at) => {
      // A body of its size would leave no room for what else may be wrong with one.
      const others = violations.slice(at + 1).filter(({ code }) => code !== "request_body_too_large");
      return others.length > 0 ? [checkOf(id, first, others)] : [];
    });
  });
}
