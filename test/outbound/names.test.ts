import { expect, test } from "@jest/globals";
import { Names } from "../../src/outbound/names";

test("a name is looked up once at a time, and its addresses are remembered", async () => {
  const names = new Names();
  const asked = names.resolve("localhost");
  expect(names.resolve("localhost")).toBe(asked);
  const found = await asked;
  expect(found.map(({ address }) => address)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]),
  );
  expect(await names.resolve("localhost")).toBe(found);
});

test("a failure is not remembered", async () => {
  const names = new Names();
  // Too long for a name, so that nobody is asked.
  const name = `${"a".repeat(64)}.invalid`;
  const asked = names.resolve(name);
  await expect(asked).rejects.toHaveProperty("code");
  const again = names.resolve(name);
  expect(again).not.toBe(asked);
  await expect(again).rejects.toHaveProperty("code");
});

test("there is an end to how many are asked for at once", async () => {
  const names = new Names();
  const all = Array.from({ length: 1001 }, (_, i) => names.resolve(`${"a".repeat(64)}.${i}.invalid`));
  const failures = await Promise.allSettled(all);
  expect(failures[1000]).toMatchObject({ status: "rejected", reason: { code: "EAI_AGAIN" } });
  expect(failures[999]).not.toMatchObject({ reason: { code: "EAI_AGAIN" } });
});
