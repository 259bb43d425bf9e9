/** Errors of which only the gateway itself can tell whether it can be brought to them. */
import { randomUUID } from "node:crypto";
import { errors } from "../../../../generated/operations";
import type { ErrorCode } from "../../../contract";
import { Skipped } from "../../check";
import { expectStatus } from "../ground/app";
import { together } from "../ground/wire";
import { readiness } from "../requests/facts";
import { expectFailure } from "../requests/failure";
import { exampleBody, exampleRequest, type Names, policyOf, type RoutedId, withBody } from "../requests/requests";
import { absentNumber, callIn, leave, newCallIn, originOf, scratchApp } from "../requests/states";
import type { World } from "../world";

/** How many rooms are opened to find one on another media server. */
const most_rooms = 20;

const answered = { state: "answered", member: "no", muted: "no", recorded: "no" } as const;

const webhookUrls: { readonly [C in ErrorCode]?: string } = {
  webhook_url_must_use_https: "http://example.com/",
  webhook_url_is_private: "https://127.0.0.1/",
};

/** Settings without which a gateway answers so, and what is said of one that has them. */
const lenient: { readonly [C in ErrorCode]?: string } = {
  webhook_url_must_use_https: "ALLOW_HTTP_WEBHOOKS is on.",
  webhook_url_is_private: "ALLOW_LOCALHOST_WEBHOOKS is on.",
  embedded_engine_off: "The gateway has the embedded engine.",
  recording_not_available: "The gateway records.",
};

/** @throws Broken, or Skipped when this gateway cannot be brought to it */
export async function askedFor(world: World, id: RoutedId, code: ErrorCode): Promise<void> {
  if (code === "command_uid_pending") return pending(world, id);
  if (code === "room_on_other_node") return farRoom(world);
  const origin = originOf(world, await world.main());
  const names: { -readonly [N in keyof Names]?: Names[N] } = { app_id: scratchApp(world) };
  let body = exampleBody(id, origin);
  if (id === "putApp") body = { webhook_url: webhookUrls[code] };
  if (id === "createSandboxCall") body = { did: absentNumber(world), script: [{ do: "hangup" }] };
  const recording = code === "recording_not_available";
  // A gateway that records does it: to a call that no other check looks at.
  const stage = recording ? await (id === "startRecording" ? newCallIn : callIn)(world, answered) : null;
  if (stage) names.uuid = stage.call.source;
  const request = exampleRequest(id, origin, names);
  const answer = await world.request(body === null ? request : withBody(request, body));
  if (stage) await leave(stage);
  if (answer.body?.code === code) return expectFailure(answer, code, errors[code].provoke);
  throw new Skipped(lenient[code] ?? "This gateway cannot be brought to it.");
}

/** The same command twice in one packet: the second is a repeat of one that is decided, or not yet. */
async function pending(world: World, id: RoutedId): Promise<void> {
  const app = await world.main();
  const { names, stage } = await namesFor(world, id);
  const origin = originOf(world, app);
  const body = { ...exampleBody(id, origin, names), command_uid: `kit-${randomUUID()}` };
  const request = withBody(exampleRequest(id, origin, names), body);
  const [first, second] = await together(world.url, [request, request]);
  if (stage) await leave(stage);
  if (!second || !first) throw new Error("together has answered one of two");
  if (first.status !== 202 || second.status === 202)
    throw new Skipped("The first try was decided before the second one was looked at.");
  expectFailure(second, "command_uid_pending", "the same command twice in one packet");
}

async function namesFor(world: World, id: RoutedId) {
  if (policyOf(id).room === "path")
    return { names: { room_id: (await (await world.main()).room()).source }, stage: null };
  const stage = await newCallIn(world, readiness(id));
  return { names: { uuid: stage.call.source, room_id: stage.room_id }, stage };
}

/** Rooms are opened on the least loaded media server: of many one lies on another than the call, if there is one. */
async function farRoom(world: World): Promise<void> {
  const nodes = await world.request({ method: "GET", path: "/admin/nodes", headers: world.admin });
  expectStatus(nodes, 200);
  const known = Array.isArray(nodes.body?.nodes) ? nodes.body.nodes.length : 0;
  if (known < 2) throw new Skipped("The gateway has one media server.");
  const { call } = await callIn(world, answered);
  const app = await world.main();
  const nodeOf = (id: string) => id.split("-")[0];
  for (let opened = 0; opened < most_rooms; opened += 1) {
    const room_id = (await app.room()).source;
    if (nodeOf(room_id) === nodeOf(call.source)) continue;
    const answer = await call.command("joinRoom", { room_id });
    const node = nodeOf(room_id);
    return expectFailure(answer, "room_on_other_node", "a room of another media server", { node });
  }
  throw new Skipped("All rooms were opened on the media server of the call.");
}
