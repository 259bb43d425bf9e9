/** What fails after a request was let in, as far as an operation asks the store for anything then. */

import type { RoutedId } from "../../src/conformance/gateway/requests/requests";
import type { Admission, AdmissionRequest, Store } from "../../src/store/store";
import { away, type FailingStore } from "./failing";

export type Behind = { readonly [O in RoutedId]?: Partial<Store> };

/** By operation: methods of the store that stand in for the real ones, to be handed to {@link FailingStore.while}. */
export function behind(store: FailingStore): Behind {
  /** A store that gives a call that has ended for a live one. */
  async function admitEnded(request: AdmissionRequest): Promise<Admission> {
    const admission = await store.real.admit(request);
    if (admission.outcome !== "admitted" || !admission.session) return admission;
    const state = { ...admission.session.state, state: "ended" as const };
    return { ...admission, session: { ...admission.session, state } };
  }

  return {
    listSessions: { sessions: away },
    getSession: { admit: admitEnded },
    listSessionEvents: { sessionEvents: away },
    listRooms: { rooms: away },
    createRoom: { createRoom: away },
    getRoom: { members: away },
    deleteRoom: { commit: away },
    listRoomEvents: { roomEvents: away },
    streamEvents: { feedPosition: away },
    listDeadLetters: { deadLetters: away },
    replayDeadLetters: { replayDeadLetters: away },
    listApps: { apps: away },
    getApp: { app: away },
    putApp: { putApp: away },
    deleteApp: { closeApp: away },
    rotateWebhookSecret: { rotateSecret: away },
  };
}
