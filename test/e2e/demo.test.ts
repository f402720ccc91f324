/** The demonstration: all answers are as they should be, and the script ends well by itself. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { runDemo } from "../demo/run.ts";
import { toItsEnd } from "../support/command.ts";

const BOOK = { title: "The Left Hand of Darkness", author: "Ursula K. Le Guin" };
const REVIEWS = [
  { stars: 5, text: "Cold, and full of warmth." },
  { stars: 4, text: "The ice alone is worth it." },
];

test("one query is answered by two services of different make, then by a plugin too, and partly when one is gone", async () => {
  const { whole, extended, partial } = await runDemo(() => {});
  expect(whole.errors).toBeUndefined();
  expect(whole.data).toEqual({ book: BOOK, reviews: REVIEWS });

  expect(extended.errors).toBeUndefined();
  expect(extended.data).toEqual({ book: { ...BOOK, copies: 3 }, reviews: REVIEWS });

  expect(partial.status).toBe(200);
  expect(partial.data).toEqual({ book: { ...BOOK, copies: 3 }, reviews: null });
  expect(partial.errors).toMatchObject([
    { path: ["reviews"], extensions: { code: "SERVICE_UNAVAILABLE", service: "reviews" } },
  ]);
});

test("the script prints all answers and ends with status 0", async () => {
  const { status, stdout, stderr } = await toItsEnd([
    process.execPath,
    join(import.meta.dir, "../demo/run.ts"),
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.match(/Ursula K\. Le Guin/g)).toHaveLength(3);
  expect(stdout).toContain("The ice alone is worth it.");
  expect(stdout).toContain("SERVICE_UNAVAILABLE");
});
