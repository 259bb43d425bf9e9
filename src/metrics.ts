/**
 * What is counted for Prometheus. Every label is out of a list that the document or the program has: a name that is not
 * in it counts as "none", so that no stranger can make this grow.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { eventSources, operations, pseudoOperations } from "../generated/operations";
import type { Log } from "./log";
import { type Timed, Timings } from "./timings";

/** What the parts of the gateway tell, each of one thing that happened. */
export interface Meter {
  /** An answer went out. `status` 0: nobody was there any more to be answered. */
  request(operation: string, status: number, seconds: number): void;
  /** The store has admitted or refused a request of an app. */
  admission(seconds: number): void;
  /** A command was taken by its media server or refused by it; later it came to something or to nothing. */
  command(command: string, engine: string, outcome: CommandOutcome): void;
  /** So many events of media servers will never be told. */
  givenUp(what: GivenUp, count: number): void;
  /** @param lag_seconds since the event's creation */
  attempt(outcome: AttemptOutcome, lag_seconds: number): void;
  /** The contract was not kept. `name`: of the operation or event. */
  violation(what: "response" | "webhook", name: string): void;
}

export type CommandOutcome = "accepted" | "refused" | "succeeded" | "failed";
/**
 * Digits and positions of playbacks where too many waited for the store; what was read of a media node that another
 * instance has by now; and whatever waited when the gateway was closed.
 */
export type GivenUp = "digit" | "position" | "fenced" | "closed";
export type AttemptOutcome = "delivered" | "retry" | "dead";

/** A media node as it is at the moment of a scrape. */
export interface NodeCount {
  readonly node: string;
  readonly engine: string;
  readonly connected: boolean;
  readonly sessions: number;
  readonly rooms: number;
}

/** What is asked at each scrape. */
export interface Gauges {
  nodes(): readonly NodeCount[];
  /** All media nodes that the store knows of, by who reads their events. */
  leases(): Readonly<Record<"own" | "other" | "away" | "lost", number>>;
  /** Events that wait because the store cannot be asked. */
  waiting(): number;
  deadLetters(): Promise<number>;
}

/** What stands for a name that is not in the list. */
const none = "none";
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** A store in this process answers within microseconds, one on the network within milliseconds. */
const admissionBuckets = [0.000_025, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
/** From an answer at once to the last try. */
const lagBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** How exactly the delay of the event loop is watched: each step wakes the process once. */
const loopStepMs = 50;

const operationNames: ReadonlySet<string> = new Set([...Object.keys(operations), ...Object.keys(pseudoOperations)]);
const contractNames: ReadonlySet<string> = new Set([...operationNames, ...Object.keys(eventSources)]);
const commandNames: ReadonlySet<string> = new Set(
  Object.values(operations).flatMap(({ command }) => (command ? [command.name] : [])),
);
const engineKinds: ReadonlySet<string> = new Set(["embedded", "freeswitch", "asterisk"]);

const known = (names: ReadonlySet<string>, name: string): string => (names.has(name) ? name : none);

/** Made at the first ask for a key, and kept: what would be looked up and checked at each count is looked up once. */
class Kept<K, V> {
  readonly #values = new Map<K, V>();
  readonly #make: (key: K) => V;

  constructor(make: (key: K) => V) {
    this.#make = make;
  }

  /** @param key out of a bounded list */
  of(key: K): V {
    const kept = this.#values.get(key);
    if (kept !== undefined) return kept;
    const made = this.#make(key);
    this.#values.set(key, made);
    return made;
  }
}

/** What is known of the process is the same for every gateway in it, and its observers cannot be taken off again. */
let processRegistry: Registry | null = null;

function processMetrics(): Registry {
  if (processRegistry) return processRegistry;
  processRegistry = new Registry();
  collectDefaultMetrics({ register: processRegistry, eventLoopMonitoringPrecision: loopStepMs });
  return processRegistry;
}

export class Metrics implements Meter {
  readonly #registry = new Registry();
  readonly #process = processMetrics();
  readonly #admissions: Timed;
  readonly #requests: Kept<string, { readonly timed: Timed; readonly statuses: Kept<number, Tally> }>;
  readonly #commands: Kept<string, Kept<string, Kept<CommandOutcome, Tally>>>;
  readonly #attempts: Kept<AttemptOutcome, Tally>;
  readonly #lag: Timed;
  readonly #givenUp: Kept<GivenUp, Tally>;
  readonly #violations: Counter<"what" | "name">;
  /** The scrape under way: whoever asks meanwhile gets the same. */
  #scrape: Promise<string> | null = null;

  constructor() {
    const registers = [this.#registry];
    const timings = (name: string, help: string, buckets: readonly number[], label: string | null = null) =>
      new Timings({ name, help, buckets, label, registers });
    const requests = tallied(registers, ["operation", "status"], {
      name: "voicegate_requests_total",
      help: "HTTP requests by operation and status; status 0: the client was gone before the answer",
    });
    const durations = timings(
      "voicegate_request_duration_seconds",
      "Time from a request's first byte of the header to its answer",
      requestBuckets,
      "operation",
    );
    this.#requests = new Kept((operation) => ({
      timed: durations.of(operation),
      statuses: new Kept((status) => requests(operation, String(status))),
    }));
    this.#admissions = timings(
      "voicegate_admission_duration_seconds",
      "Time that the store took to admit or to refuse a request",
      admissionBuckets,
    ).of("");
    const commands = tallied(registers, ["command", "engine", "outcome"], {
      name: "voicegate_commands_total",
      help: "Commands: accepted or refused by the media server, and what became of those that were accepted",
    });
    this.#commands = new Kept(
      (command) => new Kept((engine) => new Kept((outcome) => commands(command, engine, outcome))),
    );
    const attempts = tallied(registers, ["outcome"], {
      name: "voicegate_webhook_attempts_total",
      help: "Attempts to deliver an event: delivered, to be tried again, or given up",
    });
    this.#attempts = new Kept((outcome) => attempts(outcome));
    this.#lag = timings(
      "voicegate_webhook_lag_seconds",
      "Age of an event at the end of an attempt to deliver it",
      lagBuckets,
    ).of("");
    const givenUp = tallied(registers, ["what"], {
      name: "voicegate_events_given_up_total",
      help: "Events of media servers that will never be told, by why: digit, position, fenced or closed",
    });
    this.#givenUp = new Kept((what) => givenUp(what));
    this.#violations = new Counter({
      name: "voicegate_contract_violations_total",
      help: "Answers and webhooks that did not keep the document, of those that were checked",
      labelNames: ["what", "name"],
      registers,
    });
  }

  request(operation: string, status: number, seconds: number): void {
    const { timed, statuses } = this.#requests.of(known(operationNames, operation));
    statuses.of(status).count += 1;
    timed.observe(seconds);
  }

  admission(seconds: number): void {
    this.#admissions.observe(seconds);
  }

  command(command: string, engine: string, outcome: CommandOutcome): void {
    this.#commands.of(known(commandNames, command)).of(known(engineKinds, engine)).of(outcome).count += 1;
  }

  givenUp(what: GivenUp, count: number): void {
    if (count > 0) this.#givenUp.of(what).count += count;
  }

  attempt(outcome: AttemptOutcome, lag_seconds: number): void {
    this.#attempts.of(outcome).count += 1;
    this.#lag.observe(lag_seconds);
  }

  violation(what: "response" | "webhook", name: string): void {
    this.#violations.inc({ what, name: known(contractNames, name) });
  }

  /** Once, when there is something to ask: from then on each scrape asks. */
  ask(gauges: Gauges, log: Log): void {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, value: (node: NodeCount) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ["node", "engine"],
        registers,
        collect() {
          this.reset();
          for (const node of gauges.nodes()) this.set({ node: node.node, engine: node.engine }, value(node));
        },
      });
    gauge("voicegate_node_connected", "Can the media node be reached?", ({ connected }) => Number(connected));
    gauge("voicegate_sessions", "Calls under control of this instance", ({ sessions }) => sessions);
    gauge("voicegate_rooms", "Open rooms under control of this instance", ({ rooms }) => rooms);
    new Gauge({
      name: "voicegate_node_leases",
      help: "Media nodes by who reads their events: this instance, another one, nobody, or nobody ever again",
      labelNames: ["held"],
      registers,
      collect() {
        for (const [held, count] of Object.entries(gauges.leases())) this.set({ held }, count);
      },
    });
    new Gauge({
      name: "voicegate_events_waiting",
      help: "Events of media servers that wait because the store cannot be asked",
      registers,
      collect() {
        this.set(gauges.waiting());
      },
    });
    new Gauge({
      name: "voicegate_dead_letters",
      help: "Events that were given up and are kept, of all apps",
      registers,
      async collect() {
        try {
          this.set(await gauges.deadLetters());
        } catch (err) {
          // No number is better than an old one, and the rest of the scrape than none.
          this.remove();
          log.error({ err }, "metrics: the store cannot be asked");
        }
      },
    });
  }

  /** In the text format 0.0.4 of Prometheus. */
  text(): Promise<string> {
    this.#scrape ??= this.#collect().finally(() => {
      this.#scrape = null;
    });
    return this.#scrape;
  }

  async #collect(): Promise<string> {
    const [own, ofProcess] = await Promise.all([this.#registry.metrics(), this.#process.metrics()]);
    return `${own}${ofProcess}`;
  }
}

/** Counted here, and told to the library at each scrape: to look labels up at each count costs more than the rest. */
interface Tally {
  count: number;
}

/** A counter whose numbers are kept by those who count. @returns what makes one for these values of its labels */
function tallied<L extends string>(
  registers: Registry[],
  labelNames: readonly L[],
  about: { readonly name: string; readonly help: string },
): (...values: readonly string[]) => Tally {
  const tallies: { readonly labels: Partial<Record<L, string>>; readonly tally: Tally }[] = [];
  new Counter({
    ...about,
    labelNames: [...labelNames],
    registers,
    collect() {
      this.reset();
      for (const { labels, tally } of tallies) this.inc(labels, tally.count);
    },
  });
  return (...values) => {
    const labels: Partial<Record<L, string>> = {};
    for (const [place, name] of labelNames.entries()) labels[name] = values[place] ?? none;
    const tally = { count: 0 };
    tallies.push({ labels, tally });
    return tally;
  };
}
