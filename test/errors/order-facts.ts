/** The pairs of all errors: of those, too, that only a store, a disk or a media server that fails can cause. */
import {
  type Facts,
  type FactsOf,
  factsOf as factsFromOutside,
  met,
} from "../../src/conformance/gateway/requests/facts";
import { type Pairs, pairsOf as pairsBy } from "../../src/conformance/gateway/requests/pairs";
import { policyOf, type RoutedId } from "../../src/conformance/gateway/requests/requests";
import { behind } from "./behind";
import { FailingStore } from "./failing";

const behindChecks = behind(new FailingStore());

function internalError(id: RoutedId): Facts | null {
  if (policyOf(id).command) return met("broken")(id);
  if (id === "getRecording" || id === "deleteRecording") return { recording: ["unreadable"] };
  if (id === "getMediaFile") return { file: ["unreadable"], engine: ["embedded"] };
  if (!behindChecks[id]) return null;
  const { session, room } = policyOf(id);
  const own = {
    ...(session === "path" && { session: ["own", "foreign"] }),
    ...(room === "path" && { room: ["own", "foreign"] }),
  };
  return { ...own, store: ["behind away"] };
}

const factsOf: FactsOf = (code, id) => (code === "internal_error" ? internalError(id) : factsFromOutside(code, id));

const worked = new Map<RoutedId, Pairs>();

/** Worked out once. */
export function pairsOf(id: RoutedId): Pairs {
  const pairs = worked.get(id) ?? pairsBy(id, policyOf(id).failures, factsOf);
  worked.set(id, pairs);
  return pairs;
}
