/**
 * What composing costs with many services: how long until a changed schema is visible, for how long the serving thread
 * composes in all, in slices between which it serves, how long the binary's clients wait at most meanwhile, and what it
 * keeps in memory. A thread of its own asks the gateway all the time; what it waits for while nothing changes is the
 * machine's share.
 */
import { buildSchema, execute, introspectionFromSchema, parse } from "graphql";
import { type RunningBinary, startBinary } from "../support/app.ts";
import { graphql, post, until } from "../support/client.ts";
import { watch } from "./pauses.ts";

const CHANGES = 30;
const IDLE_MS = 3_000;

type Kind = "plain" | "federated";

function sdlOf(kind: Kind, i: number, generation: number): string {
  const name = `s${i}`;
  const [query, key] = kind === "plain" ? ["type Query", ""] : ["extend type Query", '@key(fields: "id")'];
  return `scalar DateTime
    ${query} { ${name}: ${name}_Item ${name}_list(first: Int): [${name}_Item!] ${name}_v${generation}: Int }
    type ${name}_Item ${key} { id: ID! title: String price: Float tags: [String!] at: DateTime state: ${name}_State other: ${name}_Other }
    type ${name}_Other { id: ID! name: String item: ${name}_Item }
    type ${name}_More { id: ID! a: String b: String c: String }
    enum ${name}_State { OPEN CLOSED }`;
}

/** Many services behind one port, each at a path of its own. */
function serve(kind: Kind, count: number) {
  const answers: string[] = [];
  const change = (i: number, generation: number) => {
    const sdl = sdlOf(kind, i, generation);
    if (kind === "plain") {
      answers[i] = JSON.stringify({ data: introspectionFromSchema(buildSchema(sdl)) });
      return;
    }
    const schema = buildSchema("type Query { _service: _Service! } type _Service { sdl: String }");
    answers[i] = JSON.stringify(
      execute({ schema, document: parse("{ _service { sdl } }"), rootValue: { _service: { sdl } } }),
    );
  };
  for (let i = 0; i < count; i++) change(i, 0);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const i = Number(new URL(request.url).pathname.slice(1));
      const body = await request.text();
      const isSchema = body.includes("__schema") || body.includes("_service");
      return new Response(isSchema ? (answers[i] ?? "") : '{"data":{"__typename":"Query"}}', {
        headers: { "content-type": "application/json" },
      });
    },
  });
  return { server, change };
}

async function residentMegabytes({ process: { pid } }: RunningBinary): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function row(kind: Kind, count: number): Promise<void> {
  await using bobbin = await startBinary();
  const { gateway, registry } = bobbin.urls;
  const { server, change } = serve(kind, count);
  const register = (i: number) =>
    post(`${registry}/register`, {
      serviceName: `s${i}`,
      url: `http://127.0.0.1:${server.port}`,
      metadata: {
        endpoints: { graphql: `/${i}` },
        gateway: kind === "plain" ? {} : { kind: "federation" },
        healthCheck: { interval: 3600 },
      },
    });
  const isVisible = async (field: string) => {
    const { errors } = await graphql(gateway, `{ ${field} }`);
    return !errors?.some(({ extensions }) => extensions?.code === "GRAPHQL_VALIDATION_FAILED");
  };
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (next < count) await register(next++);
    }),
  );
  for (let i = 0; i < count; i++) await until(() => isVisible(`s${i}_v0`), Boolean, 120_000);
  const all = performance.now() - startedAt;
  using asking = watch(gateway);
  await Bun.sleep(1_000);
  await asking.longest();
  await Bun.sleep(IDLE_MS);
  const idle = await asking.longest();
  const times: number[] = [];
  const pauses: number[] = [];
  for (let generation = 1; generation <= CHANGES; generation++) {
    change(0, generation);
    await register(0);
    const answered = performance.now();
    while (!(await isVisible(`s0_v${generation}`))) await Bun.sleep(1);
    times.push(performance.now() - answered);
    await Bun.sleep(100);
    pauses.push(await asking.longest());
  }
  const memory = await residentMegabytes(bobbin);
  await server.stop(true);
  const composed = bobbin.lines.filter(({ msg }) => msg === "composed").slice(-CHANGES);
  const blocks = composed.map(({ ms }) => Number(ms));
  const sorted = (values: number[]) => values.toSorted((a, b) => a - b);
  const at = (values: number[], q: number) => sorted(values)[Math.floor(values.length * q)] ?? 0;
  const cells = [
    all,
    at(times, 0.5),
    at(times, 0.95),
    at(blocks, 0.5),
    at(blocks, 0.95),
    at(pauses, 0.5),
    at(pauses, 0.95),
    idle,
    memory,
  ];
  console.log(
    `${kind.padEnd(9)} ${String(count).padStart(8)} ${cells.map((n) => n.toFixed(0).padStart(8)).join(" ")}`,
  );
}

export async function composing(): Promise<void> {
  console.log(`One of many services changes its schema, ${CHANGES} times (ms; MB)`);
  console.log("                     all   visible           composing          pause              idle");
  console.log(
    "          services  visible  median      p95   median      p95   median      p95    pause   memory",
  );
  for (const count of [10, 100, 500]) await row("plain", count);
  for (const count of [10, 50, 100]) await row("federated", count);
}

if (import.meta.main) await composing();
