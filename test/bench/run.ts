/**
 * `npm run bench`: what the gateway costs beside others, first, since that is what most changes are about; how long
 * from the answer to a registration until its field can be queried on the gateway, with a number of services
 * registered already; how many durable registrations a second the registry takes; what composing and what long lists
 * cost others; how quickly the binary starts; what plugins cost; what looking up costs. Against the compiled binary.
 * Prints tables.
 */
import { startBinary } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { startService, type TestService } from "../support/service.ts";
import { client as lookUps } from "./client.ts";
import { composing } from "./composing.ts";
import { gateway } from "./gateway.ts";
import { listing } from "./listing.ts";
import { plugins } from "./plugins.ts";
import { registrations } from "./registrations.ts";
import { startAndMemory } from "./start.ts";

const ROUNDS = 60;

const service = (name: string): Promise<TestService> =>
  startService({
    typeDefs: /* GraphQL */ `
      type Query { ${name}: ${name}_Item ${name}_list(first: Int): [${name}_Item!] }
      type ${name}_Item { id: ID! title: String price: Float tags: [String!] related: [${name}_Item!] }
    `,
    resolvers: { Query: { [name]: () => ({ id: "1", title: name }) } },
  });

const register = (registry: string, name: string, url: string) =>
  post(`${registry}/register`, { serviceName: name, url, metadata: { endpoints: { graphql: "/graphql" } } });

function quantile(sorted: readonly number[], q: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(1).padStart(8);
}

async function timeToVisible(already: number): Promise<void> {
  await using bobbin = await startBinary();
  const { gateway, registry } = bobbin.urls;
  await using stack = new AsyncDisposableStack();
  for (let i = 0; i < already; i++) {
    const present = stack.use(await service(`present${i}`));
    await register(registry, `present${i}`, present.url);
  }
  const last = `present${already - 1}`;
  await until(
    () => graphql(gateway, `{ ${last} { id } }`),
    ({ data }) => data?.[last]?.id === "1",
  );
  const newcomer = stack.use(await service("newcomer"));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await register(registry, "newcomer", newcomer.url);
    const answered = performance.now();
    for (;;) {
      const { data } = await graphql(gateway, "{ newcomer { id title } }");
      if (data?.newcomer?.title === "newcomer") break;
    }
    times.push(performance.now() - answered);
    await post(`${registry}/unregister`, { serviceName: "newcomer" });
    await until(
      () => graphql(gateway, "{ newcomer { id } }"),
      ({ errors }) => errors !== undefined,
    );
  }
  times.sort((a, b) => a - b);
  console.log(
    `${String(already).padStart(8)}  ${quantile(times, 0.5)}  ${quantile(times, 0.99)}  ${quantile(times, 1)}`,
  );
}

await gateway();
console.log();
console.log("From the answer to a registration until its field is queryable (ms)");
console.log("services    median       p99       max");
for (const already of [1, 20, 100]) await timeToVisible(already);
console.log();
await registrations();
console.log();
await composing();
console.log();
await listing();
console.log();
await startAndMemory();
console.log();
await plugins();
console.log();
await lookUps();
