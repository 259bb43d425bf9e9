/** How answers tell of a quota, and whether they tell of one counter. */
import { Broken } from "../../check";
import type { Answer } from "../ground/client";
import { expectFailure } from "../requests/failure";

type AnyAnswer = Omit<Answer, "operation">;

/** What an answer says of the quota: `q` requests in a window, `r` left of it. */
export function told({ headers, exchange }: AnyAnswer): { readonly q: number; readonly r: number } {
  const q = /q=(\d+)/.exec(String(headers["ratelimit-policy"]))?.[1];
  const [, r, t] = /r=(\d+);t=(\d+)/.exec(String(headers.ratelimit)) ?? [];
  if (q === undefined || r === undefined)
    throw new Broken({ expected: "RateLimit headers", got: "none", exchanges: [exchange] });
  if (Number(t) > 1) throw new Broken({ expected: "t=1: a window is a second", got: `t=${t}`, exchanges: [exchange] });
  return { q: Number(q), r: Number(r) };
}

/**
 * Holds answers that came one after another against one counter of `limit` in a window: each counts one down, and what
 * comes when nothing is left is refused, until a window begins anew.
 *
 * @param before what was left before the first of them
 * @returns how many were refused, and how many windows began on the way
 */
export function expectCounted(
  answers: readonly AnyAnswer[],
  limit: number,
  seconds: number,
  before = 0,
): { readonly refused: number; readonly begun: number } {
  let left = before;
  let begun = 0;
  let refused = 0;
  for (const [n, answer] of answers.entries()) {
    const { q, r } = told(answer);
    const wrong = (expected: string) => {
      const before = answers[n - 1];
      const exchanges = [...(before ? [before.exchange] : []), answer.exchange];
      return new Broken({
        expected,
        got: `${answer.status} with q=${q}, r=${r} (answer ${n + 1} of ${answers.length})`,
        exchanges,
      });
    };
    if (q !== limit) throw wrong(`q=${limit}, the limit of the app`);
    const limited = answer.body?.code === "rate_limited";
    const fresh = r === limit - 1 && !limited;
    if (limited) {
      if (n === 0 || left > 0) throw wrong(`no refusal: ${left} were left`);
      if (r !== 0) throw wrong("r=0 with a refusal");
      expectFailure(answer, "rate_limited", "more than the quota of this second");
      refused += 1;
    } else if (left > 0 && r === left - 1) left = r;
    else if (fresh) {
      begun += 1;
      left = r;
    } else throw wrong(left > 0 ? `r=${left - 1}` : "a refusal: nothing was left");
  }
  // Windows are seconds: so many can have begun, and no more.
  if (begun > Math.floor(seconds) + 2)
    throw new Broken({
      expected: `at most ${Math.floor(seconds) + 2} windows in ${seconds.toFixed(1)} s`,
      got: `${begun}`,
    });
  return { refused, begun };
}
