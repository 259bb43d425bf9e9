/** What a check expects, and how it says that it was not so. */
import { isDeepStrictEqual } from "node:util";
import { Broken } from "../../check";
import type { KitCall, KitRoom } from "./app";
import type { Answer } from "./client";

/** What a failure shows: answers, and the events of a call or a room. */
export interface About {
  readonly answers?: readonly Pick<Answer, "exchange">[];
  readonly of?: KitCall | KitRoom;
}

/** @throws Broken unless it holds */
export function expectThat(holds: boolean, expected: string, got: unknown, { answers = [], of }: About = {}): void {
  if (holds) return;
  const seen = of ? { seen: of.seen } : {};
  throw new Broken({ expected, got: said(got), exchanges: answers.map(({ exchange }) => exchange), ...seen });
}

/** @throws Broken unless it is this very value */
export function expectSame(what: string, got: unknown, wanted: unknown, about: About = {}): void {
  expectThat(isDeepStrictEqual(got, wanted), `${what} ${said(wanted)}`, got, about);
}

/** @throws Broken unless each of these fields has this very value */
export function expectFields(
  what: string,
  got: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
  about: About = {},
): void {
  for (const [name, value] of Object.entries(wanted)) expectSame(`${what}: ${name}`, got[name], value, about);
}

/** @throws Broken unless it is a number from `least` to `most` */
export function expectBetween(what: string, got: unknown, least: number, most: number, about: About = {}): void {
  const fits = typeof got === "number" && got >= least && got <= most;
  expectThat(fits, `${what} from ${Math.round(least)} to ${Math.round(most)}`, got, about);
}

const said = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"));
