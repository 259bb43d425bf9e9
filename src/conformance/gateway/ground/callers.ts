/** Who rings: simulated callers, a SIP phone, or somebody with a real one. */
import { Broken, Skipped, Unreachable } from "../../check";
import { type Called, type Caller, callerId, type Placed, type ScriptStep } from "./caller";
import { HandDialled } from "./manual_caller";
import { SipCaller } from "./sip_caller";
import type { Stage } from "./stage";

/** By the setting `caller`. @throws Unreachable when there is no such caller */
export function openCaller(world: Omit<Stage, "caller">): Caller {
  const { caller, did } = world.settings;
  if (caller === "sandbox") return new SandboxCaller(world);
  if (caller === "manual") return new HandDialled(world, did ?? null);
  if (caller.startsWith("sip:")) return new SipCaller(caller, did ?? null);
  throw new Unreachable(`There is no caller "${caller}": sandbox, sip:host:port, sip:number@host:port or manual.`);
}

class SandboxCaller implements Caller {
  readonly kind = "sandbox";
  readonly number = null;

  constructor(private readonly world: Omit<Stage, "caller">) {}

  async place({ did }: Called, script: readonly ScriptStep[]): Promise<Placed> {
    const caller_id = callerId();
    const body = { did, caller_id, script };
    const request = { method: "POST", path: "/admin/sandbox/calls", headers: this.world.admin, body };
    const answer = await this.world.request(request);
    if (answer.status === 201) return { session_uuid: String(answer.body?.session_uuid), caller_id, phone: null };
    if (answer.body?.code === "embedded_engine_off")
      throw new Skipped("The gateway has no embedded engine: use --caller sip:… or manual.");
    throw new Broken({ expected: "201, a simulated call", got: String(answer.status), exchanges: [answer.exchange] });
  }

  async close(): Promise<void> {
    // Simulated callers go with their app.
  }
}
