/** When a service is asked for its schema again, and what an answer is worth that comes too late. */
import { expect, test } from "bun:test";
import { type SchemaSources, Schemas } from "../../src/gateway/schemas.ts";
import { createLog } from "../../src/log.ts";
import { type Registration, register } from "../../src/registry/registration.ts";
import type { Service } from "../../src/registry/service.ts";
import { until } from "../support/client.ts";
import { FakeClock } from "../support/clock.ts";
import { startService, type TestService } from "../support/service.ts";
import { introspections, saying } from "./graph.ts";

const GRAPHQL = { endpoints: { graphql: "/graphql" } };

/** Schemas of real services, registered by hand. */
function schemasOf(more: Partial<SchemaSources> = {}) {
  const clock = new FakeClock();
  const services = new Map<string, Service>();
  const schemas = new Schemas(
    {
      services: () => [...services.values()],
      service: (name) => services.get(name),
      local: () => undefined,
      remoteExecutor: () => () => ({}),
      ownDoor: () => undefined,
      ownDoorOf: () => undefined,
      recordFirstAnswer: async () => {},
      clock,
      log: createLog("silent", "json"),
      ...more,
    },
    { onSchema: () => {}, onState: () => {}, onSubgraph: () => {}, onFetched: () => {} },
  );
  const add = (name: string, { url }: { url: string }, metadata: Registration["metadata"] = GRAPHQL) => {
    const input = { name, url, metadata, door: "REST", source: "REMOTE" } as const;
    const service = register(services.get(name), input, clock.now());
    services.set(name, service);
    schemas.follow(service, true);
  };
  return { clock, schemas, add };
}

test("a service whose schema is not valid is asked again with growing pauses", async () => {
  await using service: TestService = await startService(saying("x", "x"));
  const { clock, schemas, add } = schemasOf();
  await using _ = schemas;
  let asked = 0;
  service.answerWith(() => {
    asked += 1;
    return Response.json({ data: INVALID });
  });
  add("a", service);
  for (const pause of [1_000, 2_000, 4_000]) {
    await schemas.settled();
    const before = asked;
    expect(schemas.failure("a")?.code).toBe("SCHEMA_INVALID");
    await clock.advance(pause - 1);
    expect(asked).toBe(before);
    await clock.advance(1);
    await until(
      () => asked,
      (count) => count === before + 1,
    );
  }
});

/** An introspection that can be read, of a schema that is not valid: a type without fields. */
const INVALID = {
  __schema: {
    queryType: { name: "Query" },
    mutationType: null,
    subscriptionType: null,
    directives: [],
    types: [
      { kind: "OBJECT", name: "Query", description: null, fields: [], inputFields: null, interfaces: [] },
    ],
  },
};

test("a service that gives up GraphQL while its first answer is written down has no schema", async () => {
  await using service = await startService(saying("x", "x"));
  const written = Promise.withResolvers<void>();
  let writing = false;
  const { schemas, add } = schemasOf({
    recordFirstAnswer: () => {
      writing = true;
      return written.promise;
    },
  });
  await using _ = schemas;
  add("a", service);
  const fetched = schemas.settled();
  await until(
    () => writing,
    (is) => is,
  );
  add("a", service, {});
  written.resolve();
  await fetched;
  expect(schemas.latest("a")).toBeUndefined();
});

test("a hundred services that hang keep a new one waiting neither when they are new nor when they are retried", async () => {
  await using hung = await startService(saying("x", "x"));
  await using good = await startService(saying("good", "yes"));
  hung.answerWith(() => new Promise<Response>(() => {}));
  const { schemas, add } = schemasOf();
  await using _ = schemas;
  for (let i = 0; i < 100; i += 1) add(`hung${i}`, hung);
  add("good", good);
  await until(
    () => schemas.latest("good"),
    (schema) => schema !== undefined,
  );
  expect(schemas.isFetching).toBe(true);
  expect(schemas.failure("hung0")).toBeUndefined();
  expect(introspections(good)).toBe(1);
});
