/** The import rule and the size of files, read from the source itself. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";

/** Compiled tests lie in dist/test/project. */
const root = path.join(__dirname, "../../..");

/** What each room may import, as rooms; `types` only by `import type`. Main and cli may import everything. */
const rule: Record<string, { readonly may: readonly string[]; readonly types?: readonly string[] }> = {
  generated: { may: [] },
  contract: { may: [], types: ["generated"] },
  client: { may: ["generated"], types: ["contract"] },
  command: { may: [] },
  conformance: {
    may: ["caller", "command", "generated", "promised", "side_by_side", "time", "wav"],
    types: ["contract"],
  },
  time: { may: [] },
  log: { may: ["time"] },
  keys: { may: [] },
  ids: { may: [] },
  wav: { may: [] },
  values: { may: ["outbound", "redis url"] },
  config: { may: ["log", "values"] },
  side_by_side: { may: [] },
  timings: { may: [] },
  metrics: { may: ["generated", "timings"], types: ["log"] },
  promised: { may: ["api"] },
  contract_check: { may: ["promised"], types: ["log", "metrics"] },
  outbound: { may: [] },
  "store port": { may: [], types: ["contract"] },
  "redis url": { may: [] },
  store: { may: ["store port", "redis url", "ids"], types: ["contract", "log"] },
  "engine port": { may: [], types: ["contract"] },
  engines: { may: ["engine port", "media", "side_by_side", "wav"], types: ["contract", "log"] },
  caller: { may: ["engines", "engine port"] },
  media: { may: ["outbound", "engine port", "wav"], types: ["log"] },
  demo: { may: [] },
  portal: { may: ["demo"] },
  recordings: { may: ["outbound", "wav"], types: ["contract", "engine port", "log"] },
  webhooks: { may: ["ids", "outbound", "store port"], types: ["contract", "contract_check", "log", "metrics"] },
  sessions: {
    may: ["store port", "engine port", "generated", "ids", "side_by_side", "time"],
    types: ["contract", "log", "metrics", "recordings"],
  },
  handlers: {
    may: [
      "sessions",
      "engine port",
      "keys",
      "outbound",
      "portal",
      "recordings",
      "time",
      "wav",
      "webhooks",
      "generated",
    ],
    types: ["contract", "store port", "config", "log", "media", "metrics"],
  },
  api: {
    may: ["generated", "ids", "store port", "keys", "outbound"],
    types: ["contract", "contract_check", "handlers", "log", "metrics"],
  },
};
const anywhere = ["main", "cli"];

function typescriptFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name));
}

/** The room of a file: a folder of src, a file of src, a port, or what both the environment and a store read. */
function roomOf(file: string): string {
  const parts = path.normalize(file).split(path.sep);
  if (parts[0] === "generated") return "generated";
  if (/^src\/store\/(?:store\.ts|port\/)/.test(parts.join("/"))) return "store port";
  if (/^src\/engines\/(?:engine|events)\.ts$/.test(parts.join("/"))) return "engine port";
  if (file === path.normalize("src/store/redis/url.ts")) return "redis url";
  if (file === path.normalize("src/cli/demo.ts")) return "demo";
  if (file === path.normalize("src/cli/command.ts")) return "command";
  return (parts[1] ?? "").replace(/\.ts$/, "");
}

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), "utf8");
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"(\.[^"]*)"/gm);
  return [...statements].map(([, type, from]) => {
    const target = path.join(path.dirname(file), from ?? "");
    const exact = sources.has(`${target}.ts`) ? `${target}.ts` : path.join(target, "index.ts");
    return { file, target: exact, typeOnly: type !== undefined };
  });
}

const sources = new Set([...typescriptFiles("src"), ...typescriptFiles("generated")]);
const imports = [...sources].flatMap(importsOf);

describe("who may import whom", () => {
  test("every import leads to a file", () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.filter(({ target }) => !sources.has(target))).toEqual([]);
  });

  test("every room has a rule, and every rule a room", () => {
    const rooms = new Set([...sources].map(roomOf).filter((room) => !anywhere.includes(room)));
    expect([...rooms].sort()).toEqual(Object.keys(rule).sort());
  });

  test("imports keep the rule", () => {
    const broken = imports.filter(({ file, target, typeOnly }) => {
      const [from, to] = [roomOf(file), roomOf(target)];
      if (from === to || anywhere.includes(from)) return false;
      const { may = [], types = [] } = rule[from] ?? {};
      return !(may.includes(to) || (typeOnly && types.includes(to)));
    });
    expect(broken.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });

  test("nothing imports in a circle, not even types", () => {
    const next = new Map<string, string[]>();
    for (const { file, target } of imports) next.set(file, [...(next.get(file) ?? []), target]);
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, trail: readonly string[]) => {
      if (trail.includes(file)) circles.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
      else if (!done.has(file)) for (const target of next.get(file) ?? []) walk(target, [...trail, file]);
      done.add(file);
    };
    for (const file of next.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });
});

test("no file that is written by hand has more than 300 lines", () => {
  const files = ["src", "scripts", "test", "examples"].flatMap(typescriptFiles);
  const long = files.filter((file) => readFileSync(path.join(root, file), "utf8").split("\n").length > 301);
  expect(long).toEqual([]);
});
