/**
 * What looking a service up costs, in Node and in Bun, with the built client: getServiceUrl and resolveService out of
 * the cache, beside an async function that does nothing and beside a request to the registry. Microseconds per call,
 * each call timed in batches. `npm run build && bun test/bench/client.ts`; takes about 10 s.
 */

import { type Runtime, start } from "../client/program.ts";
import { startBinary } from "../support/app.ts";
import { post } from "../support/client.ts";

const SERVICES = 1_000;
const MOST_MICROSECONDS = 2;

/** Runs in a program of its own; prints name → [median, 99th percentile]. */
const MEASURE = `
  import { getServiceUrl, resolveService, listServices } from "bobbin/client";
  const registry = process.env.SERVICE_REGISTRY_URL;
  const calls = {
    "nothing": [1000, async () => "http://127.0.0.1:9"],
    "getServiceUrl": [1000, () => getServiceUrl("service-7")],
    "resolveService": [1000, () => resolveService("service-7")],
    "asking the registry": [1, async () => (await (await fetch(registry + "/services/service-7")).json()).url],
  };
  const result = {};
  for (const [name, [batch, call]] of Object.entries(calls)) {
    const times = [];
    const end = performance.now() + 1000;
    while (performance.now() < end) {
      const begun = performance.now();
      for (let i = 0; i < batch; i++) await call();
      times.push(((performance.now() - begun) * 1000) / batch);
    }
    times.sort((a, b) => a - b);
    result[name] = [times[times.length >> 1], times[Math.floor(times.length * 0.99)]];
  }
  console.log(JSON.stringify(result));`;

export async function client(): Promise<void> {
  await using bobbin = await startBinary();
  const { registry } = bobbin.urls;
  for (let n = 0; n < SERVICES; n++) {
    const instance = (port: number) => ({ serviceName: `service-${n}`, url: `http://127.0.0.1:${port}` });
    await post(`${registry}/register`, instance(9));
    if (n === 7) await post(`${registry}/register`, instance(10));
  }
  console.log(`Looking up one of ${SERVICES} services (microseconds per call)`);
  console.log("                                median       p99");
  for (const runtime of ["node", "bun"] satisfies Runtime[]) {
    await using program = await start("main.mjs", MEASURE, {
      runtime,
      env: { SERVICE_REGISTRY_URL: registry },
    });
    if ((await program.ended) !== 0) throw new Error(program.stderr);
    const result = JSON.parse(program.stdout) as Record<string, [number, number]>;
    for (const [name, figures] of Object.entries(result)) {
      const shown = figures.map((figure) => figure.toFixed(2).padStart(9)).join(" ");
      console.log(`${`${runtime}: ${name}`.padEnd(28)} ${shown}`);
    }
    const [median] = result.getServiceUrl as [number, number];
    if (median > MOST_MICROSECONDS)
      throw new Error(`getServiceUrl takes ${median.toFixed(2)} µs in ${runtime}`);
  }
}

if (import.meta.main) await client();
