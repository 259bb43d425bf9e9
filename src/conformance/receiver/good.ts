/** Events as the gateway sends them: each kind, in each form that the document allows. */
import type { Check } from "../check";
import { formsOf, type Kind, kinds } from "./samples";
import { lifeOfCall } from "./story";
import type { ReceiverWorld } from "./world";

export function good(): Check<ReceiverWorld>[] {
  return [life, ...kinds().map(kind)];
}

const life: Check<ReceiverWorld> = {
  id: "events/life_of_a_call",
  title: "A call is told of from its first ring to its recording",
  clause: "webhooks: events of a call, in the order of their sequence",
  profile: "minimal",
  async run(world) {
    const call = world.call();
    for (const name of lifeOfCall) await world.taken(call.next(name));
  },
};

/** A new event in the document is a new check. */
function kind(kind: Kind): Check<ReceiverWorld> {
  const { name, summary } = kind;
  return {
    id: `events/${name}`,
    title: `${name} is taken in each form: ${summary}`,
    clause: `webhooks: ${name}`,
    profile: "minimal",
    async run(world) {
      for (const data of formsOf(name)) {
        const story = await world.scene(kind);
        await world.taken(story.next(name, data));
      }
    },
  };
}
