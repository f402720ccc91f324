/**
 * How long others wait while 10,000 instances are listed: each list is asked for some times, and a thread of its own
 * asks the gateway something small all the while, over a connection of its own. What that waits for while nothing is
 * listed is the machine's share.
 * `bun test/bench/listing.ts`, or within `npm run bench`; against the compiled binary.
 */
import { type RunningBinary, startBinary } from "../support/app.ts";
import { get, post } from "../support/client.ts";
import { watch } from "./pauses.ts";

const CALLS = 7;
const IDLE_MS = 3_000;

type Call = () => Promise<unknown>;

async function drained(url: string, init?: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  await response.bytes();
}

function callsOf({ urls: { gateway, core, registry } }: RunningBinary): Record<string, Call> {
  const asked = (url: string) =>
    drained(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: "{ getServices { name status url instances { url health } } }" }),
    });
  const snapshot = async () => {
    const abort = new AbortController();
    const { body } = await fetch(`${registry}/events`, { signal: abort.signal });
    let last = "";
    for await (const piece of body ?? []) {
      last = (last + new TextDecoder().decode(piece)).slice(-2);
      if (last === "\n\n") break;
    }
    abort.abort();
  };
  return {
    "GET /services": () => drained(`${registry}/services`),
    "the same, 10 at once": () =>
      Promise.all(Array.from({ length: 10 }, () => drained(`${registry}/services`))),
    "first snapshot of /events": snapshot,
    "/gateway/services": () => drained(`${gateway}/gateway/services`),
    "/gateway/health": () => drained(`${gateway}/gateway/health`),
    "getServices on :3001": () => asked(core),
    "getServices on :3000": () => asked(gateway),
    nothing: () => Bun.sleep(IDLE_MS / CALLS),
  };
}

/** Prints the median and the longest of the waits while each list was asked for. */
async function rows(services: number, instances: number): Promise<void> {
  await using bobbin = await startBinary();
  using well = Bun.serve({ port: 0, hostname: "0.0.0.0", fetch: () => new Response("ok") });
  const { registry, gateway } = bobbin.urls;
  let next = 0;
  const registerAll = async () => {
    for (let n = next++; n < services * instances; n = next++)
      await post(`${registry}/register`, {
        serviceName: `s${n % services}`,
        // Each host of the loopback network is another instance.
        url: `http://127.1.${Math.floor(n / services) >> 8}.${Math.floor(n / services) & 255}:${well.port}`,
        metadata: { healthCheck: { interval: 3_600 } },
      });
  };
  await Promise.all(Array.from({ length: 50 }, registerAll));
  const { body } = await get(`${registry}/services`);
  const listed = body.services.flatMap((service: { instances: unknown[] }) => service.instances).length;
  // The core is one of them.
  if (listed !== services * instances + 1) throw new Error(`${listed} instances are listed`);
  using asking = watch(gateway);
  await Bun.sleep(5_000);
  for (const [what, call] of Object.entries(callsOf(bobbin))) {
    await call();
    await Bun.sleep(200);
    const waits: number[] = [];
    for (let i = 0; i < CALLS; i++) {
      await asking.longest();
      await call();
      waits.push(await asking.longest());
    }
    waits.sort((a, b) => a - b);
    const [median = 0, longest = 0] = [waits[CALLS >> 1], waits.at(-1)];
    const size = `${services} × ${instances}`.padEnd(12);
    console.log(
      `${size} ${what.padEnd(26)} ${median.toFixed(1).padStart(7)} ${longest.toFixed(1).padStart(7)}`,
    );
  }
}

export async function listing(): Promise<void> {
  console.log(`How long others wait while 10,000 instances are listed, of ${CALLS} times (ms)`);
  console.log("services × instances                    median longest");
  await rows(2_000, 5);
  await rows(10, 1_000);
  await rows(9_900, 1);
}

if (import.meta.main) await listing();
