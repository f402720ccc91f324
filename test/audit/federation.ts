/**
 * `npm run audit:federation -- FOLDER [SUITE]`: the public federation-gateway-audit against the compiled binary. FOLDER
 * is a copy of github.com/graphql-hive/federation-gateway-audit with its packages installed. Every suite runs twice:
 * against a fresh binary, and through one binary that is kept, into which its services are registered and out of which
 * they are unregistered over REST. Every question is asked for the first time, which the reference road answers:
 * COMPILE_AFTER=0 in the environment has code answer them. Prints a table, what failed, and the kept binary's memory;
 * exits with 1 where a case failed.
 */
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type RunningBinary, startBinary } from "../support/app.ts";
import { get, graphql, post } from "../support/client.ts";

interface Case {
  readonly query: string;
  readonly expected: { readonly data?: unknown; readonly errors?: boolean };
}

interface Suite {
  readonly id: string;
  readonly subgraphs: readonly { readonly name: string; readonly url: string }[];
}

const [folder, only] = Bun.argv.slice(2);
if (!folder) {
  console.error("usage: npm run audit:federation -- FOLDER [SUITE]");
  process.exit(2);
}

const ROUNDS = 5;
const IDLE_MS = 45_000;

const origin = await serveSubgraphs(resolve(folder));
const suites = (await suitesAt(origin)).filter(({ id }) => only === undefined || id === only);
const kept = await startBinary();
const failures: string[] = [];
const totals = { cases: 0, fresh: 0, kept: 0 };
const memory = [await residentMegabytes(kept)];
console.log(`${"suite".padEnd(40)} cases fresh  kept`);
for (const suite of suites) {
  const fresh = await startBinary();
  const [cases, alone] = await run(suite, fresh, "fresh");
  await fresh[Symbol.asyncDispose]();
  const [, swapped] = await run(suite, kept, "kept");
  await unregisterAll(suite, kept);
  totals.cases += cases;
  totals.fresh += alone;
  totals.kept += swapped;
  console.log(row(suite.id, cases, alone, swapped));
}
console.log(row("all", totals.cases, totals.fresh, totals.kept));
memory.push(await residentMegabytes(kept));
// Memory that grows from one round to the next is lost; what the first round takes is caches and compiled code.
for (let round = 2; round <= ROUNDS; round++) {
  let passed = 0;
  for (const suite of suites) {
    passed += (await run(suite, kept, `kept, round ${round}`))[1];
    await unregisterAll(suite, kept);
  }
  memory.push(await residentMegabytes(kept));
  console.log(row(`all once more, round ${round}`, totals.cases, 0, passed));
}
// The thread that composes ends when it has had nothing to do for half a minute.
await Bun.sleep(IDLE_MS);
const idle = await residentMegabytes(kept);
const left = await (await fetch(`${kept.urls.gateway}/gateway/schema`)).text();
const stale = [...left.matchAll(/^(?:type|interface|union|enum|input|scalar) (\w+)/gm)].map(
  ([, name = ""]) => name,
);
console.log(
  `\nThe kept binary, resident MB at the start and after each round: ${memory.join(", ")}; idle: ${idle}`,
);
console.log(`Types in its graph at the end: ${stale.join(", ")}`);
await kept[Symbol.asyncDispose]();
for (const failure of failures) console.log(`\n${failure}`);
process.exit(failures.length > 0 ? 1 : 0);

async function serveSubgraphs(path: string): Promise<string> {
  const program = join(import.meta.dir, "subgraphs.ts");
  const child = Bun.spawn([process.execPath, program, path], { stdout: "pipe", stderr: "ignore" });
  process.on("exit", () => child.kill());
  for await (const chunk of child.stdout) return `http://localhost:${new TextDecoder().decode(chunk).trim()}`;
  throw new Error(`the audit's subgraphs do not start: are the packages of ${path} installed?`);
}

async function suitesAt(base: string): Promise<Suite[]> {
  const json = async (path: string) => (await fetch(`${base}/${path}`)).json();
  const ids = (await json("ids")) as string[];
  return Promise.all(
    ids.map(async (id) => ({
      id,
      subgraphs: (await json(`${id}/subgraphs`)) as Suite["subgraphs"],
    })),
  );
}

/** Returns how many cases there are, and how many passed. */
async function run(
  { id, subgraphs }: Suite,
  { urls }: RunningBinary,
  how: string,
): Promise<[cases: number, passed: number]> {
  // Some cases hold numbers that are good for one use.
  const cases = (await (await fetch(`${origin}/${id}/tests`)).json()) as Case[];
  for (const { name, url } of subgraphs) {
    const { pathname } = new URL(url);
    await post(`${urls.registry}/register`, {
      serviceName: name,
      url: new URL(url).origin,
      metadata: { endpoints: { graphql: pathname } },
    });
  }
  await post(`${urls.gateway}/gateway/reload`, {});
  const { body } = await get(`${urls.gateway}/gateway/services`);
  for (const { name, composition, reason } of (
    body as { services: { name: string; composition: string; reason: unknown }[] }
  ).services)
    if (composition !== "COMPOSED")
      failures.push(`${id} (${how}): ${name} is ${composition}: ${JSON.stringify(reason)}`);
  let passed = 0;
  for (const [i, { query, expected }] of cases.entries()) {
    const answer = (await graphql(urls.gateway, query)) as { data?: unknown; errors?: unknown[] };
    const isData = isDeepStrictEqual(answer.data ?? null, expected.data ?? null);
    const isErrors = expected.errors === undefined || expected.errors === Boolean(answer.errors?.length);
    if (isData && isErrors) passed += 1;
    else
      failures.push(
        `${id} ${i} (${how}):${query}\nexpected ${JSON.stringify(expected)}\nanswered ${JSON.stringify(answer)}`,
      );
  }
  return [cases.length, passed];
}

async function unregisterAll({ subgraphs }: Suite, { urls }: RunningBinary): Promise<void> {
  for (const { name } of subgraphs) await post(`${urls.registry}/unregister`, { serviceName: name });
  await post(`${urls.gateway}/gateway/reload`, {});
}

async function residentMegabytes({ process: { pid } }: RunningBinary): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

function row(name: string, cases: number, fresh: number, swapped: number): string {
  return `${name.padEnd(40)} ${[cases, fresh, swapped].map((n) => String(n).padStart(5)).join(" ")}`;
}
