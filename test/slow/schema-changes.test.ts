/**
 * Schema changes under load: queries are driven all the while, and those that are in flight when the schema changes
 * finish on the one that they began with. 20 changes; TEST_FULL: 200.
 */
import { expect, test } from "bun:test";
import { answered, ask, register, saying } from "../gateway/graph.ts";
import { startApp } from "../support/app.ts";
import { until } from "../support/client.ts";
import { type ServiceDefinition, startService } from "../support/service.ts";

const CHANGES = process.env.TEST_FULL ? 200 : 20;
const DRIVERS = 4;

/** The schema of one generation: its type has a field that no other generation has. `slow` waits for the gate. */
function generation(number: number, gate: Promise<void>): ServiceDefinition {
  const thing = () => ({ [`only${number}`]: number, always: "here" });
  return {
    typeDefs: `type Query { thing: Thing slow: Thing } type Thing { only${number}: Int always: String }`,
    resolvers: { Query: { thing, slow: () => gate.then(thing) } },
  };
}

test(`${CHANGES} schema changes fail no query, neither those between nor those in flight`, async () => {
  await using app = await startApp();
  await using steady = await startService(saying("steady", "yes"));
  let gate = Promise.withResolvers<void>();
  await using changing = await startService(generation(0, gate.promise));
  await register(app, "steady", steady);
  await register(app, "changing", changing);
  await answered(app, "{ steady thing { only0 always } }");

  let running = true;
  let queries = 0;
  const failures: unknown[] = [];
  const drive = async () => {
    while (running) {
      const { data, errors } = await ask(app, "{ steady thing { always } }");
      queries += 1;
      if (errors || data.steady !== "yes" || data.thing.always !== "here") failures.push({ data, errors });
    }
  };
  const drivers = Array.from({ length: DRIVERS }, drive);

  for (let i = 0; i < CHANGES; i += 1) {
    const inFlight = ask(app, `{ slow { only${i} } steady }`);
    await until(
      () => changing.requests,
      (requests) => requests.some(({ query }) => query.includes("slow") && query.includes(`only${i}`)),
    );
    const before = queries;
    const finish = gate.resolve;
    gate = Promise.withResolvers<void>();
    changing.change(generation(i + 1, gate.promise));
    await register(app, "changing", changing);
    expect(await answered(app, `{ thing { only${i + 1} } }`)).toEqual({ thing: { [`only${i + 1}`]: i + 1 } });
    // The graph has forgotten the field for which the query in flight is still waiting.
    const late = await ask(app, `{ slow { only${i} } }`);
    expect(late.errors?.[0]?.extensions?.code).toBe("GRAPHQL_VALIDATION_FAILED");
    finish();
    const { data, errors } = await inFlight;
    expect({ data, errors }).toEqual({
      data: { slow: { [`only${i}`]: i }, steady: "yes" },
      errors: undefined,
    });
    await until(
      () => queries,
      (count) => count > before,
    );
    // Only what is to come is looked through.
    changing.requests.length = 0;
  }
  running = false;
  await Promise.all(drivers);
  expect(failures).toEqual([]);
  expect(queries).toBeGreaterThan(CHANGES);
});
