/** The demonstration: both answers are as they should be, and the script ends well by itself. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { runDemo } from "../demo/run.ts";
import { toItsEnd } from "../support/command.ts";

const BOOK = { title: "The Left Hand of Darkness", author: "Ursula K. Le Guin" };

test("one query is answered by two services of different make, and partly when one of them is gone", async () => {
  const { whole, partial } = await runDemo(() => {});
  expect(whole.errors).toBeUndefined();
  expect(whole.data).toEqual({
    book: BOOK,
    reviews: [
      { stars: 5, text: "Cold, and full of warmth." },
      { stars: 4, text: "The ice alone is worth it." },
    ],
  });

  expect(partial.status).toBe(200);
  expect(partial.data).toEqual({ book: BOOK, reviews: null });
  expect(partial.errors).toMatchObject([
    { path: ["reviews"], extensions: { code: "SERVICE_UNAVAILABLE", service: "reviews" } },
  ]);
});

test("the script prints both answers and ends with status 0", async () => {
  const { status, stdout, stderr } = await toItsEnd([
    process.execPath,
    join(import.meta.dir, "../demo/run.ts"),
  ]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.match(/Ursula K\. Le Guin/g)).toHaveLength(2);
  expect(stdout).toContain("The ice alone is worth it.");
  expect(stdout).toContain("SERVICE_UNAVAILABLE");
});
