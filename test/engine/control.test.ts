/** Call control, at the moments at which a media server, a caller, an app and the gateway cross each other. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Refused } from "../../src/engines/engine";
import { ControlPlace } from "./control-place";
import type { Exchange } from "./exchange";
import type { ExchangeEngine } from "./exchange-engine";
import type { Recorder } from "./recorder";
import { run } from "./suite";

let place: ControlPlace;
let exchange: Exchange;
let engine: ExchangeEngine;
let recorder: Recorder;
beforeEach(async () => {
  place = await ControlPlace.open();
  ({ exchange, engine, recorder } = place);
});
afterEach(() => place.close());

const gone = new Refused("gone");
const byCaller = { by: "caller", cause: "NORMAL_CLEARING", q850: 16, sipStatus: null } as const;

describe("a call that is being offered", () => {
  test("and hung up: its end is told once it was accepted, and it never rang", async () => {
    const give = place.held();
    const { session_uuid, verdict } = exchange.ring();
    await recorder.offered(1);
    exchange.hangUp(session_uuid);
    expect(recorder.events).toEqual([]);
    give("accepted");
    expect(await verdict).toBe("accepted");
    expect(recorder.events).toMatchObject([{ session_uuid, type: "hangup", by: "caller", sip_status: 487 }]);
    expect(exchange.asked).toEqual(["open a call"]);
    await expect(run({ engine }, "answer", session_uuid, {})).rejects.toEqual(gone);
  });

  test("and hung up, and then refused: nothing is told", async () => {
    const give = place.held();
    const { session_uuid, verdict } = exchange.ring();
    await recorder.offered(1);
    exchange.hangUp(session_uuid);
    give("no_app");
    expect(await verdict).toBe("no_app");
    expect(recorder.events).toEqual([]);
    expect(engine.switchboard.has(session_uuid)).toBe(false);
  });

  test("and answered by the dialplan: that is told once it was accepted, and an answer only confirms it", async () => {
    const give = place.held();
    const { session_uuid, verdict } = exchange.ring({ answered: true });
    await recorder.offered(1);
    engine.handler(session_uuid).onAnswered();
    give("accepted");
    await verdict;
    const { operation_id } = await run({ engine }, "answer", session_uuid, {});
    expect(recorder.events).toEqual([
      { session_uuid, type: "answered", operation_id: null },
      { session_uuid, type: "answered", operation_id },
    ]);
    expect(exchange.asked).toEqual(["open a call", `ring ${session_uuid}`]);
  });

  test("and given to another process: it is neither refused nor rung here", async () => {
    const give = place.held();
    const { session_uuid, verdict } = exchange.ring();
    await recorder.offered(1);
    engine.reads(false);
    give("accepted");
    expect(await verdict).toBe("unavailable");
    expect(recorder.events).toEqual([]);
    expect(exchange.channel(session_uuid).end).toBeNull();
    expect(exchange.asked).toEqual(["open a call"]);
  });

  test("and ended as everything is: its end is told once it was accepted", async () => {
    const give = place.held();
    const { session_uuid, verdict } = exchange.ring();
    await recorder.offered(1);
    const closed = engine.switchboard.close();
    give("accepted");
    await Promise.all([verdict, closed]);
    expect(recorder.events).toMatchObject([
      { session_uuid, type: "hangup", cause: "SERVER_SHUTDOWN", sip_status: 503 },
    ]);
  });

  test("twice: the second time it is left alone", async () => {
    const session_uuid = await place.accepted();
    expect(await engine.offer(exchange.channel(session_uuid))).toBe("unavailable");
    expect(exchange.channel(session_uuid).end).toBeNull();
    expect(recorder.offers).toHaveLength(1);
  });
});

describe("an answer", () => {
  test("twice at once: both are confirmed, by one event and one confirmation", async () => {
    const session_uuid = await place.accepted();
    const { asked, release } = place.stuck("answer");
    const answers = [run({ engine }, "answer", session_uuid, {}), run({ engine }, "answer", session_uuid, {})];
    await asked;
    release();
    const operations = (await Promise.all(answers)).map(({ operation_id }) => operation_id);
    expect(recorder.events).toEqual(
      operations.map((operation_id) => ({ session_uuid, type: "answered", operation_id })),
    );
  });

  test("while the media server answers by itself is confirmed by that, once", async () => {
    const session_uuid = await place.accepted();
    const { asked, release } = place.stuck("answer");
    const answering = run({ engine }, "answer", session_uuid, {});
    await asked;
    exchange.channel(session_uuid).answered = true;
    engine.handler(session_uuid).onAnswered();
    release();
    const { operation_id } = await answering;
    expect(recorder.events).toEqual([{ session_uuid, type: "answered", operation_id }]);
  });

  test("during which the caller hangs up is refused", async () => {
    const session_uuid = await place.accepted();
    const { asked, release } = place.stuck("answer");
    const answering = run({ engine }, "answer", session_uuid, {});
    await asked;
    exchange.hangUp(session_uuid);
    release();
    await expect(answering).rejects.toEqual(gone);
    expect(recorder.types(session_uuid)).toEqual(["hangup"]);
  });

  test("of a call that was handed back is refused", async () => {
    const session_uuid = await place.accepted();
    await run({ engine }, "disconnect", session_uuid, {});
    await expect(run({ engine }, "answer", session_uuid, {})).rejects.toEqual(gone);
    expect(exchange.asked.filter((what) => what.startsWith("answer"))).toEqual([]);
  });
});

describe("a call that is handed back", () => {
  test("is silent by then, and of it only the end is told", async () => {
    const session_uuid = await place.answered();
    await run({ engine }, "playSilence", session_uuid, { duration_ms: 60_000 });
    await recorder.event(session_uuid, "playback.started");
    await run({ engine }, "disconnect", session_uuid, {});
    const order = exchange.asked.filter((what) => what.includes(session_uuid));
    expect(order.slice(-2)).toEqual([`stop ${session_uuid}`, `hand back ${session_uuid}`]);
    engine.handler(session_uuid).onDigit("1", 100);
    engine.handler(session_uuid).onAnswered();
    exchange.hangUp(session_uuid);
    expect(recorder.types(session_uuid)).toEqual([
      "answered",
      "playback.started",
      "playback.stopped",
      "handed_back",
      "hangup",
    ]);
  });

  test("twice at once is handed back once", async () => {
    const session_uuid = await place.answered();
    const { asked, release } = place.stuck("hand back");
    const first = run({ engine }, "disconnect", session_uuid, {});
    await asked;
    const second = run({ engine }, "disconnect", session_uuid, {});
    const playing = run({ engine }, "playSilence", session_uuid, { duration_ms: 1 });
    release();
    await first;
    await expect(second).rejects.toEqual(gone);
    await expect(playing).rejects.toEqual(gone);
    expect(exchange.asked.filter((what) => what.startsWith("hand back"))).toHaveLength(1);
    expect(recorder.types(session_uuid)).toEqual(["answered", "handed_back"]);
  });

  test("and hung up meanwhile ends, and is not told of as handed back", async () => {
    const session_uuid = await place.answered();
    const { asked, release } = place.stuck("hand back");
    const back = run({ engine }, "disconnect", session_uuid, {});
    await asked;
    engine.handler(session_uuid).onEnd(byCaller);
    release();
    await expect(back).rejects.toEqual(gone);
    expect(recorder.types(session_uuid)).toEqual(["answered", "hangup"]);
  });

  test("and ended by the media server at once is done, and is not told of as handed back", async () => {
    const session_uuid = await place.answered();
    const { asked, release } = place.stuck("hand back");
    const back = run({ engine }, "disconnect", session_uuid, {});
    await asked;
    engine.handler(session_uuid).onEnd({ ...byCaller, by: "media_server" });
    release();
    await back;
    expect(recorder.types(session_uuid)).toEqual(["answered", "hangup"]);
  });

  test("can be ended by the gateway", async () => {
    const session_uuid = await place.answered();
    await run({ engine }, "disconnect", session_uuid, {});
    engine.end(session_uuid, "APP_DELETED");
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ cause: "APP_DELETED", by: "gateway" });
  });

  test("and lost with its media server has no SIP status", async () => {
    const session_uuid = await place.answered();
    await run({ engine }, "disconnect", session_uuid, {});
    exchange.channels.clear();
    engine.switchboard.lost();
    expect(await recorder.event(session_uuid, "hangup")).toMatchObject({ sip_status: null, lost: true });
    expect(recorder.types(session_uuid)).toEqual(["answered", "handed_back", "hangup"]);
  });
});
