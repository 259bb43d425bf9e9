/** What is counted, and that no stranger can make the list of it grow. */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { operations } from "../../generated/operations";
import { createLog } from "../../src/log";
import { Metrics } from "../../src/metrics";
import { TestGateway } from "../gateway";
import { parseExposition, type Sample, sampleOf } from "./exposition";

const silent = createLog("silent");
const scraped = async (metrics: Metrics) => parseExposition(await metrics.text());

describe("the parser refuses what Prometheus would", () => {
  test.each([
    ["a line without its end", "# TYPE a gauge\na 1"],
    ["a sample without a type", "a 1\n"],
    ["a type that there is not", "# TYPE a number\na 1\n"],
    ["the same sample twice", "# TYPE a gauge\na 1\na 2\n"],
    ["an open label", '# TYPE a gauge\na{b="c} 1\n'],
    ["no number", "# TYPE a gauge\na one\n"],
    [
      "buckets that do not add up",
      '# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    ],
    ["a count that is not the last bucket", '# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n'],
  ])("%s", (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});

test("names that are in no list are one series", async () => {
  const metrics = new Metrics();
  for (let i = 0; i < 1000; i++) {
    metrics.request(`stranger${i}`, 404, 0.001);
    metrics.command(`stranger${i}`, `engine${i}`, "refused");
    metrics.violation("response", `stranger${i}`);
  }
  const samples = await scraped(metrics);
  const series = (name: string) => samples.filter((sample) => sample.name === name);
  expect(series("voicegate_requests_total")).toEqual([
    { name: "voicegate_requests_total", labels: { operation: "none", status: "404" }, value: 1000 },
  ]);
  expect(series("voicegate_commands_total")).toEqual([
    {
      name: "voicegate_commands_total",
      labels: { command: "none", engine: "none", outcome: "refused" },
      value: 1000,
    },
  ]);
  expect(series("voicegate_contract_violations_total")).toHaveLength(1);
  expect(series("voicegate_request_duration_seconds_count")).toHaveLength(1);
});

test("what happens is counted under its names, each gateway for itself", async () => {
  const [metrics, other] = [new Metrics(), new Metrics()];
  metrics.request("startPlayback", 202, 0.0011);
  metrics.request("startPlayback", 404, 0.2);
  metrics.request("http.notFound", 404, 0.2);
  metrics.admission(0.000_01);
  metrics.command("playback/start", "embedded", "accepted");
  metrics.givenUp("digit", 2);
  metrics.givenUp("position", 0);
  metrics.attempt("retry", 0.3);
  metrics.attempt("delivered", 12);
  metrics.violation("webhook", "dtmf");
  const samples = await scraped(metrics);
  const value = (name: string, labels?: Sample["labels"]) => sampleOf(samples, `voicegate_${name}`, labels);
  expect(value("requests_total", { operation: "startPlayback", status: "202" })).toBe(1);
  expect(value("requests_total", { operation: "http.notFound", status: "404" })).toBe(1);
  expect(value("request_duration_seconds_count", { operation: "startPlayback" })).toBe(2);
  expect(value("request_duration_seconds_sum", { operation: "startPlayback" })).toBeCloseTo(0.2011);
  expect(value("admission_duration_seconds_count")).toBe(1);
  expect(value("commands_total", { command: "playback/start", engine: "embedded", outcome: "accepted" })).toBe(1);
  expect(value("webhook_attempts_total", { outcome: "retry" })).toBe(1);
  expect(value("webhook_lag_seconds_sum")).toBeCloseTo(12.3);
  expect(value("events_given_up_total", { what: "digit" })).toBe(2);
  expect(value("contract_violations_total", { what: "webhook", name: "dtmf" })).toBe(1);
  expect(sampleOf(await scraped(other), "voicegate_admission_duration_seconds_count")).toBe(0);
});

test("of a store that cannot be asked there is no number, and the rest of the scrape is whole", async () => {
  const metrics = new Metrics();
  const lines: string[] = [];
  let letters: () => Promise<number> = async () => 7;
  const leases = { own: 1, other: 2, away: 3, lost: 0 };
  const node = { node: "ab12", engine: "embedded", connected: true, sessions: 3, rooms: 1 };
  metrics.ask(
    { nodes: () => [node], leases: () => leases, waiting: () => 4, deadLetters: () => letters() },
    createLog("info", { write: (line) => void lines.push(line) }),
  );
  expect(sampleOf(await scraped(metrics), "voicegate_dead_letters")).toBe(7);
  letters = () => Promise.reject(new Error("away"));
  const samples = await scraped(metrics);
  expect(samples.filter(({ name }) => name === "voicegate_dead_letters")).toEqual([]);
  expect(sampleOf(samples, "voicegate_sessions", { node: "ab12", engine: "embedded" })).toBe(3);
  expect(sampleOf(samples, "voicegate_node_leases", { held: "away" })).toBe(3);
  expect(sampleOf(samples, "voicegate_events_waiting")).toBe(4);
  expect(lines).toEqual([expect.stringContaining('"msg":"metrics: the store cannot be asked"')]);
});

test("scrapes at the same time are one", async () => {
  const metrics = new Metrics();
  let asked = 0;
  const leases = { own: 0, other: 0, away: 0, lost: 0 };
  metrics.ask(
    { nodes: () => [], leases: () => leases, waiting: () => 0, deadLetters: async () => (asked += 1) },
    silent,
  );
  const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
  expect(one).toBe(other);
  expect(asked).toBe(1);
  await metrics.text();
  expect(asked).toBe(2);
});

describe("of a gateway", () => {
  let place: TestGateway;
  beforeAll(async () => {
    place = await TestGateway.start();
  });
  afterAll(() => place.close());

  const scrape = async () => {
    const { status, headers, text } = await place.client.request({ method: "GET", path: "/metrics" });
    expect({ status, type: headers["content-type"] }).toEqual({
      status: 200,
      type: "text/plain; version=0.0.4; charset=utf-8",
    });
    return parseExposition(text);
  };

  test("a call, its commands and its webhooks move the numbers", async () => {
    const node = place.gateway.embedded?.node ?? "";
    const before = await scrape();
    expect(sampleOf(before, "voicegate_node_connected", { node })).toBe(1);
    expect(sampleOf(before, "voicegate_sessions", { node })).toBe(0);
    const session = await place.call();
    const path = `/api/v1/sessions/${session}/commands/answer`;
    await place.client.request({ method: "POST", path, headers: place.app, body: {} });
    await place.client.request({ method: "POST", path: `${path}x`, headers: place.app, body: {} });
    await place.receiver.event("command.result", session);
    const during = await scrape();
    const value = (name: string, labels?: Sample["labels"]) => sampleOf(during, `voicegate_${name}`, labels);
    expect(value("sessions", { node, engine: "embedded" })).toBe(1);
    expect(value("requests_total", { operation: "answer", status: "202" })).toBe(1);
    expect(value("requests_total", { operation: "commands.unknown", status: "400" })).toBe(1);
    expect(value("admission_duration_seconds_count")).toBe(2);
    expect(value("commands_total", { command: "answer", engine: "embedded", outcome: "accepted" })).toBe(1);
    expect(value("commands_total", { command: "answer", engine: "embedded", outcome: "succeeded" })).toBe(1);
    expect(value("dead_letters")).toBe(0);
    expect(value("contract_violations_total")).toBe(0);
    expect(during.find(({ name }) => name === "process_cpu_seconds_total")?.value).toBeGreaterThan(0);
  });

  test("requests for what there is not are counted as one operation", async () => {
    for (let i = 0; i < 20; i++) await place.client.request({ method: "GET", path: `/nothing/${i}` });
    const names = (await scrape()).filter(({ name }) => name === "voicegate_requests_total");
    const known = new Set([...Object.keys(operations), "commands.unknown", "none"]);
    const others = names.map(({ labels }) => labels.operation ?? "").filter((name) => !known.has(name));
    expect(others.every((name) => name.startsWith("http."))).toBe(true);
    expect(new Set(others).size).toBeLessThanOrEqual(1);
  });
});
