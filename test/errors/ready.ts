/** What must have happened before there is nothing to object to a request: calls in the state that its guards ask for. */
import { randomUUID } from "node:crypto";
import { guardsOf } from "../../src/conformance/gateway/requests/facts";
import { exampleRequest, type Names, policyOf, type RoutedId } from "../../src/conformance/gateway/requests/requests";
import type { TestGateway } from "../gateway";
import type { FailingStore } from "./failing";

export interface Place {
  readonly gateway: TestGateway;
  /** Of the gateway: its clock goes past the cooldowns of what was done. */
  readonly store: FailingStore;
  /** A new call that rings. @returns its session uuid */
  readonly call: () => Promise<string>;
}

/** Longer than any cooldown. */
const cooled_ms = 3000;

/** Does what an operation needs to be taken, as any app would. @returns the ids for its path and body */
export async function ready(id: RoutedId, place: Place): Promise<Partial<Names>> {
  const { session, room, path } = policyOf(id);
  const names: { uuid?: string; room_id?: string } = {};
  if (session !== null || path.includes("{uuid}")) names.uuid = await place.call();
  const guards = "guards" in policyOf(id) ? guardsOf(id) : [];
  const wants = (field: string) => guards.filter((guard) => guard.field === field);
  const member = wants("room_id").some(({ none_of }) => none_of?.includes(null));
  if (room !== null || member) names.room_id = await openRoom(place);
  const answered = wants("state").some(({ one_of }) => one_of?.includes("answered"));
  const recording = wants("recording").some(({ one_of }) => one_of?.includes(true));
  if (answered || member || recording) await done("answer", place, names);
  if (member) {
    const muted = wants("muted").some(({ one_of }) => one_of?.includes(true));
    await done("joinRoom", place, names, { muted });
  }
  if (recording) await done("startRecording", place, names);
  place.store.forward(cooled_ms);
  return names;
}

export async function openRoom({ gateway }: Place, headers = gateway.app): Promise<string> {
  const body = { name: `room-${randomUUID()}` };
  const request = { method: "POST", path: "/api/v1/conferences", headers, body };
  const answer = await gateway.client.request(request);
  if (answer.status !== 201) throw new Error(`no room: ${answer.text}`);
  return String(answer.body?.room_id);
}

/** Sends a command and awaits its result, whatever that is. */
export async function done(id: RoutedId, { gateway }: Place, names: Partial<Names>, more: object = {}): Promise<void> {
  const request = exampleRequest(id, gateway, names);
  const body = { ...JSON.parse(String(request.body)), ...more };
  const answer = await gateway.client.request({ ...request, body });
  if (answer.status !== 202) throw new Error(`${id}: ${answer.status} ${answer.text}`);
  await gateway.receiver.result(String(answer.body?.operation_id));
}
