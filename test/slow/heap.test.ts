/** Recomposing leaves the heap flat. 30 recompositions; TEST_FULL: 200, and 200 sets of federated services. */

import { heapStats } from "bun:jsc";
import { expect, test } from "bun:test";
import { buildSchema, introspectionFromSchema } from "graphql";
import { answered, register } from "../gateway/graph.ts";
import { startApp } from "../support/app.ts";
import { post } from "../support/client.ts";
import { startService } from "../support/service.ts";

const RECOMPOSITIONS = process.env.TEST_FULL ? 200 : 30;
const SWAPS = 200;
const WARM_UP = 12;
const TYPES = 60;
/**
 * One composed schema of these types holds 0.46 MB, so that keeping one per recomposition would come to 14 MB in the
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

/** A federated service's SDL; both services of a generation have a part of its entities. */
function federatedSdl(service: "a" | "b", generation: number): string {
  const own = Array.from({ length: TYPES }, (_, i) => {
    const name = `G${generation}T${i}`;
    return `type ${name} @key(fields: "id") { id: ID! ${service}${i}(n: Int = 1): [String!] next: G${generation}T${(i + 1) % TYPES} @shareable }`;
  });
  return `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
    type Query { ${service}: G${generation}T0 } ${own.join("\n")}`;
}

test.skipIf(!process.env.TEST_FULL)(
  `${SWAPS} sets of federated services in one process leave the heap flat, and no type behind`,
  async () => {
    await using app = await startApp();
    await using stack = new AsyncDisposableStack();
    const names = ["a", "b"] as const;
    const services = await Promise.all(
      names.map(async (name) => stack.use(await startService({ typeDefs: `type Query { ${name}: Int }` }))),
    );
    const swap = async (generation: number) => {
      for (const [i, name] of names.entries()) {
        services[i]?.answerWith(async (request) => {
          const { query } = (await request.json()) as { query: string };
          const sdl = federatedSdl(name, generation);
          return Response.json({
            data: query.includes("_service") ? { _service: { sdl } } : { [name]: null },
          });
        });
        const url = services[i]?.url;
        const metadata = { endpoints: { graphql: "/graphql" }, gateway: { kind: "federation" } };
        await post(`${app.urls.registry}/register`, { serviceName: name, url, metadata });
      }
      await post(`${app.urls.gateway}/gateway/reload`, {});
      await answered(app, `{ a { next { a1 b1 } } b { id } g${generation}: __typename }`);
      for (const name of names) await post(`${app.urls.registry}/unregister`, { serviceName: name });
      await post(`${app.urls.gateway}/gateway/reload`, {});
    };
    const graph = async () => (await fetch(`${app.urls.gateway}/gateway/schema`)).text();
    const alone = await graph();
    let generation = 0;
    while (generation < WARM_UP) await swap(generation++);
    const before = await usedBytes();
    while (generation < WARM_UP + SWAPS) await swap(generation++);
    expect((await usedBytes()) - before).toBeLessThan(BOUND_BYTES);
    expect(await graph()).toBe(alone);
  },
  600_000,
);
