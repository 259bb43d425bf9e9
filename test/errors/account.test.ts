/** The account that fails the suite: held against records of its own. */
import { expect, test } from "@jest/globals";
import { triples } from "../../generated/operations";
import { account } from "../reporter";

/** As it should be: what an outsider can cause from outside, the rest by what fails. */
const all = triples.map(([operation, status, message]) => ({
  operation,
  status,
  message,
  inside: [500, 501, 504].includes(status),
}));
const total = triples.length;
const inside = all.filter((seen) => seen.inside).length;

test("everything was provoked", () => {
  const how = `${total - inside} from outside, ${inside} by a failing store or engine`;
  expect(account(all)).toEqual({ line: `errors provoked: ${total} of ${total} (${how})`, problems: [] });
});

test("what was not provoked is named, with the way to do it", () => {
  const { line, problems } = account(all.filter(({ operation }) => operation !== "http.expectation"));
  expect(line).toContain(`errors provoked: ${total - 1} of ${total} `);
  expect(problems).toEqual(["not provoked: http.expectation: 417 Expectation failed. Send `Expect: a-miracle`."]);
});

test("a message that the document does not have provokes nothing", () => {
  const changed = all.map((seen) => (seen.operation === "http.notFound" ? { ...seen, message: "Not Found" } : seen));
  expect(account(changed).problems).toHaveLength(1);
});

test("what was seen both ways counts as from outside", () => {
  const both = all.filter(({ operation }) => operation === "getHealth").map((seen) => ({ ...seen, inside: true }));
  expect(both.length).toBeGreaterThan(0);
  expect(account([...both, ...all])).toEqual(account(all));
});

test("a 503 may come from inside, and counts as that", () => {
  const seen = all.map((each) => ({ ...each, inside: each.status >= 500 }));
  const { line, problems } = account(seen);
  expect(line).toContain(`${seen.filter((each) => each.inside).length} by a failing store or engine`);
  expect(problems).toEqual([]);
});

test("what an outsider can cause must be caused from outside", () => {
  const seen = all.map((each) => ({ ...each, inside: each.inside || each.operation === "http.notFound" }));
  const { line, problems } = account(seen);
  expect(line).toContain(`errors provoked: ${total - 1} of ${total} `);
  expect(problems).toEqual([
    "provoked from inside, which an outsider can do: http.notFound: 404 Not found. GET /nowhere.",
  ]);
});

test("a 500 that nobody says he provoked is a defect", () => {
  const { problems } = account([
    ...all,
    { ...all[0], operation: "listApps", status: 500, message: "Internal server error", inside: false },
  ]);
  expect(problems).toEqual(["answered while nothing failed: listApps: 500 Internal server error"]);
});
