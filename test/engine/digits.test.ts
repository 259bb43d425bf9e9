/** What a collection makes of prompts, keys and time. The prompts are played by the test: it says when they sound and end. */
import { EventEmitter, once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { Body } from "../../src/contract";
import { Collection, type PromptListener } from "../../src/engines/digits";

const rules: Body<"playAndGetDigits"> = {
  prompt_files: ["prompt"],
  min_digits: 1,
  max_digits: 1,
  max_tries: 1,
  timeout_ms: 20,
  terminators: "#",
};

/** Plays prompts as the test says, and writes down what it was asked and told. */
class Stage extends EventEmitter {
  readonly log: string[] = [];
  readonly collection: Collection;
  #prompt: PromptListener | null = null;

  constructor(changed: Partial<Body<"playAndGetDigits">>) {
    super();
    this.collection = new Collection(
      { ...rules, ...changed },
      (urls, listener) => {
        this.#prompt = listener;
        this.#write(`play ${urls.join()}`);
        return {
          stop: () => {
            this.#prompt = null;
            this.#write(`stop ${urls.join()}`);
          },
        };
      },
      {
        started: () => this.#write("started"),
        collected: ({ digits, terminator, status }) => this.#write(`${status} "${digits}" ${terminator}`),
        failed: (error) => this.#write(`failed: ${error}`),
      },
    );
    this.collection.start();
  }

  /** Until something is written: the only thing that can is a timer. */
  async time(): Promise<void> {
    await once(this, "written");
  }

  /** As long as this collection would wait, measured by another one that waits. */
  async otherTime(): Promise<void> {
    const other = new Stage({ timeout_ms: 2 * rules.timeout_ms });
    for (const step of ["sound", "end", "time"]) await other.step(step);
    this.#write("the time of another");
  }

  async step(step: string): Promise<void> {
    const prompt = this.#prompt;
    if (step === "time") await this.time();
    else if (step === "other time") await this.otherTime();
    else if (step === "sound") prompt?.started();
    else if (step === "end") prompt?.ended(null);
    else if (step === "fail") prompt?.ended("No file could be played");
    else if (step === "interrupt") this.collection.interrupt();
    else if (step === "hangup") this.#write(`keyed "${this.collection.end()}"`);
    else for (const key of step) this.collection.key(key);
  }

  #write(line: string): void {
    this.log.push(line);
    this.emit("written");
  }
}

interface Case {
  readonly rules?: Partial<Body<"playAndGetDigits">>;
  /** `sound`, `end`, `fail`: of the prompt; `time`: a timer runs out; `other time`: it would have run out; `interrupt`; `hangup`; else keys. */
  readonly steps: readonly string[];
  readonly log: readonly string[];
}

const four = { min_digits: 4, max_digits: 4 };
const upToFour = { min_digits: 2, max_digits: 4 };
const twoTries = { ...four, max_tries: 2, invalid_files: ["invalid"] };

const cases: Record<string, Case> = {
  "the most digits end it at once, without a terminator": {
    rules: four,
    steps: ["sound", "end", "1234", "#5"],
    log: ["play prompt", "started", 'success "1234" null'],
  },
  "a terminator ends it and is no digit": {
    rules: upToFour,
    steps: ["sound", "end", "12#"],
    log: ["play prompt", "started", 'success "12" #'],
  },
  "any of several terminators": {
    rules: { ...upToFour, terminators: "*D" },
    steps: ["sound", "end", "1#D"],
    log: ["play prompt", "started", 'success "1#" D'],
  },
  "without terminators every key is a digit": {
    rules: { ...four, terminators: "" },
    steps: ["sound", "end", "*1#D"],
    log: ["play prompt", "started", 'success "*1#D" null'],
  },
  "the first key stops the prompt": {
    rules: four,
    steps: ["sound", "1", "234"],
    log: ["play prompt", "started", "stop prompt", 'success "1234" null'],
  },
  "keys before the prompt sounds count, and stop it when it does": {
    rules: four,
    steps: ["12", "sound", "34"],
    log: ["play prompt", "started", "stop prompt", 'success "1234" null'],
  },
  "time with enough digits is a success": {
    rules: upToFour,
    steps: ["sound", "end", "12", "time"],
    log: ["play prompt", "started", 'success "12" null'],
  },
  "time with too few is a failure": {
    rules: upToFour,
    steps: ["sound", "end", "1", "time"],
    log: ["play prompt", "started", 'failure "1" null'],
  },
  "time does not run while the prompt sounds": {
    steps: ["sound", "other time", "end", "time"],
    log: ["play prompt", "started", "the time of another", 'timeout "" null'],
  },
  "time without a key is a timeout": {
    steps: ["sound", "end", "time"],
    log: ["play prompt", "started", 'timeout "" null'],
  },
  "a terminator alone is no digit": {
    steps: ["sound", "end", "#"],
    log: ["play prompt", "started", 'timeout "" #'],
  },
  "the terminator comes too early": {
    rules: four,
    steps: ["sound", "end", "12#"],
    log: ["play prompt", "started", 'failure "12" #'],
  },
  "the expression must match the whole string": {
    rules: { ...upToFour, digits_regex: "[1-3]+" },
    steps: ["sound", "end", "124", "#"],
    log: ["play prompt", "started", 'failure "124" #'],
  },
  "alternatives are tried to the whole string": {
    rules: { ...upToFour, digits_regex: "1|12|123" },
    steps: ["sound", "end", "123#"],
    log: ["play prompt", "started", 'success "123" #'],
  },
  "the expression decides a try that time ended, too": {
    rules: { ...upToFour, digits_regex: "0.*" },
    steps: ["sound", "end", "12", "time"],
    log: ["play prompt", "started", 'failure "12" null'],
  },
  "invalid files are played before a further try, not after the last": {
    rules: twoTries,
    steps: ["sound", "end", "12#", "sound", "end", "sound", "end", "3#"],
    log: ["play prompt", "started", "play invalid", "play prompt", 'failure "3" #'],
  },
  "without invalid files the prompt follows at once": {
    rules: { ...four, max_tries: 2 },
    steps: ["sound", "end", "time", "sound", "end", "1234"],
    log: ["play prompt", "started", "play prompt", 'success "1234" null'],
  },
  "an empty list of invalid files is none": {
    rules: { ...four, max_tries: 2, invalid_files: [] },
    steps: ["sound", "end", "#", "sound", "end", "#"],
    log: ["play prompt", "started", "play prompt", 'timeout "" #'],
  },
  "silence in the last try is a timeout, whatever was keyed before": {
    rules: twoTries,
    steps: ["sound", "end", "12#", "sound", "end", "sound", "end", "time"],
    log: ["play prompt", "started", "play invalid", "play prompt", 'timeout "" null'],
  },
  "keys during the invalid files count for the next try, which needs no prompt then": {
    rules: twoTries,
    steps: ["sound", "end", "12#", "sound", "1234"],
    log: ["play prompt", "started", "play invalid", "stop invalid", 'success "1234" null'],
  },
  "the last try is the last one, also when it began during the invalid files": {
    rules: twoTries,
    steps: ["sound", "end", "12#", "sound", "3#"],
    log: ["play prompt", "started", "play invalid", "stop invalid", 'failure "3" #'],
  },
  "invalid files that cannot be played are left out": {
    rules: twoTries,
    steps: ["sound", "end", "#", "fail", "sound", "end", "1234"],
    log: ["play prompt", "started", "play invalid", "play prompt", 'success "1234" null'],
  },
  "no prompt can be played: nothing is collected": {
    steps: ["12", "fail", "3"],
    log: ["play prompt", "failed: No file could be played"],
  },
  "a prompt that fails in a later try leaves the caller his time": {
    rules: { ...four, max_tries: 2 },
    steps: ["sound", "end", "#", "fail", "1234"],
    log: ["play prompt", "started", "play prompt", 'success "1234" null'],
  },
  "keys kept before the first prompt run over into the next try": {
    rules: { ...upToFour, max_tries: 2, digits_regex: "9.*" },
    steps: ["1#99#", "sound"],
    log: ["play prompt", "started", "stop prompt", "play prompt", "stop prompt", 'success "99" #'],
  },
  "interrupted while the prompt sounds": {
    rules: four,
    steps: ["sound", "interrupt", "1"],
    log: ["play prompt", "started", "stop prompt", 'unknown "" null'],
  },
  "interrupted between two keys": {
    rules: four,
    steps: ["sound", "end", "12", "interrupt", "34"],
    log: ["play prompt", "started", 'unknown "12" null'],
  },
  "interrupted during the invalid files: the digits of the try before": {
    rules: twoTries,
    steps: ["sound", "end", "12#", "interrupt"],
    log: ["play prompt", "started", "play invalid", "stop invalid", 'unknown "12" null'],
  },
  "interrupted before it began": {
    steps: ["interrupt"],
    log: ["play prompt", "stop prompt", "failed: Stopped before it began"],
  },
  "ended by the end of the call": {
    rules: four,
    steps: ["sound", "end", "12", "hangup", "34"],
    log: ["play prompt", "started", 'keyed "12"'],
  },
};

describe("a collection of digits", () => {
  test.each(Object.entries(cases))("%s", async (_name, { rules: changed, steps, log }) => {
    const stage = new Stage(changed ?? {});
    for (const step of steps) await stage.step(step);
    expect(stage.log).toEqual(log);
  });

  test("the time after the prompt and the time between keys are two", async () => {
    const stage = new Stage({ ...upToFour, timeout_ms: 600_000, digit_timeout_ms: 1 });
    for (const step of ["sound", "end", "1", "time"]) await stage.step(step);
    expect(stage.log.at(-1)).toBe('failure "1" null');
    const patient = new Stage({ ...upToFour, timeout_ms: 1, digit_timeout_ms: 600_000 });
    for (const step of ["sound", "end", "time"]) await patient.step(step);
    expect(patient.log.at(-1)).toBe('timeout "" null');
  });

  test("as many tries as asked for", async () => {
    const stage = new Stage({ max_tries: 10, timeout_ms: 1 });
    for (let i = 0; i < 10; i++) for (const step of ["sound", "end", "time"]) await stage.step(step);
    expect(stage.log.filter((line) => line === "play prompt")).toHaveLength(10);
    expect(stage.log.at(-1)).toBe('timeout "" null');
  });

  // A matcher that backtracks does not come back from these.
  test.each(["(1*)*(1*)*2", "(1|11|1?1?)*2", "(1?){64}1{64}2"])(
    "%s on 128 digits is over at once",
    async (digits_regex) => {
      const stage = new Stage({ max_digits: 128, digits_regex });
      for (const step of ["sound", "end", "1".repeat(128)]) await stage.step(step);
      expect(stage.log.at(-1)).toBe(`failure "${"1".repeat(128)}" null`);
    },
  );

  test("an expression that RE2 refuses is refused before anything is played", () => {
    for (const digits_regex of ["(", "(?=1)1", "(1)\\1", "((.{100}){100}){100}"])
      expect(() => new Stage({ digits_regex })).toThrow(/error parsing regexp/);
  });
});
