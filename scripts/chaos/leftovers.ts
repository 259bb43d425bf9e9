/** What is left when everything ought to be over, as the administrator, the apps and the store tell it. */
import type { Store } from "../../src/store/store";
import { type Asker, ask } from "./asking";
import type { Fleet } from "./fleet";

export interface LeftoversOptions {
  readonly fleet: Fleet;
  readonly apps: readonly string[];
  readonly store: Pick<Store, "appsWithEvents" | "overdue" | "subjectsOf">;
}

const most = 100;

/** One line for each, and for who could not be asked; none: nothing is left. */
export async function leftovers(options: LeftoversOptions): Promise<string[]> {
  const found = await Promise.allSettled([told(options), stored(options)]);
  return found.flatMap((each) => (each.status === "fulfilled" ? each.value : [String(each.reason)]));
}

/** What those can see who ask the gateways. */
async function told({ fleet, apps }: LeftoversOptions): Promise<string[]> {
  const left: string[] = [];
  const list = async (asker: Asker, route: string, name: string): Promise<void> => {
    const answered = await ask(await fleet.anyone(), asker, "list", "GET", route);
    const items = answered?.body[name];
    if (answered?.status !== 200 || !Array.isArray(items)) left.push(`${route}: ${answered?.status ?? "no answer"}`);
    else if (items.length > 0) left.push(`${route}: ${items.length}, the first is ${JSON.stringify(items[0])}`);
  };
  for (const app of apps) {
    await list({ app }, `/api/v1/sessions?limit=${most}`, "sessions");
    await list({ app }, `/api/v1/conferences?limit=${most}`, "rooms");
    await list("admin", `/admin/apps/${app}/dead-letters`, "dead_letters");
  }
  return left;
}

/** What the store holds. */
async function stored({ fleet, store }: LeftoversOptions): Promise<string[]> {
  const left: string[] = [];
  for (const app_id of await store.appsWithEvents()) left.push(`events of ${app_id} wait for their delivery`);
  for (const { id, operation_id } of await store.overdue(most)) left.push(`${id}: ${operation_id} is overdue`);
  for (const { node } of fleet.instances) {
    const subjects = node === null ? [] : await store.subjectsOf(node);
    if (subjects.length > 0) left.push(`node ${node} has ${subjects.length}, the first is ${subjects[0]}`);
  }
  return left;
}
