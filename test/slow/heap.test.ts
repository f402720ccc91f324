/** Recomposing leaves the heap flat. 50 recompositions; TEST_FULL: 200. */

import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { buildSchema, introspectionFromSchema } from "graphql";
import { answered, register } from "../gateway/graph.ts";
import { startApp } from "../support/app.ts";
import { startService } from "../support/service.ts";

const RECOMPOSITIONS = process.env.TEST_FULL ? 200 : 50;
const WARM_UP = 10;
const TYPES = 60;
/**
 * One composed schema of these types holds 0.46 MB, so that keeping one per recomposition would come to 23 MB in the
 * short form and 91 MB in the full one. What really grows, in both, is some 4 MB of caches and compiled code.
 */
const BOUND_BYTES = 10_000_000;

function introspectionOf(generation: number): string {
  const types = Array.from(
    { length: TYPES },
    (_, i) => `type T${i} { id: ID! a: String b(n: Int = 1): [T${(i + 1) % TYPES}!] c: T${(i + 2) % TYPES} }`,
  );
  const sdl = `type Query { generation${generation}: Int t: T0 } ${types.join("\n")}`;
  return JSON.stringify({ data: introspectionFromSchema(buildSchema(sdl)) });
}

async function usedBytes(): Promise<number> {
  // Finalizers and weak references of one collection are garbage of the next.
  for (let i = 0; i < 3; i += 1) {
    Bun.gc(true);
    await Bun.sleep(1);
  }
  return heapStats().heapSize;
}

test(`${RECOMPOSITIONS} recompositions leave the heap flat`, async () => {
  await using app = await startApp();
  await using service = await startService({ typeDefs: "type Query { x: Int }" });
  const recompose = async (generation: number) => {
    const introspection = introspectionOf(generation);
    service.answerWith(async (request) => {
      const { query } = (await request.json()) as { query: string };
      if (query.includes("__schema")) return new Response(introspection);
      const isProbe = query === "{__typename}";
      return Response.json({
        data: isProbe ? { __typename: "Query" } : { [`generation${generation}`]: generation },
      });
    });
    await register(app, "growing", service);
    // A query for each generation, so that what is cached by schema or by document has its chance to keep it.
    await answered(app, `{ generation${generation} }`);
  };
  let generation = 0;
  while (generation < WARM_UP) await recompose(generation++);
  const before = await usedBytes();
  while (generation < WARM_UP + RECOMPOSITIONS) await recompose(generation++);
  const grown = (await usedBytes()) - before;
  expect(grown).toBeLessThan(BOUND_BYTES);
});
