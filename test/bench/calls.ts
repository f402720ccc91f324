/**
 * What a call to a service costs by itself, over fetch and over the kept connections of the gateway's own client: calls
 * per second and microseconds of processor time (all threads of this process) per call. The service is another process
 * that answers with bytes made before. `bun test/bench/calls.ts`; takes about 20 s.
 */
import { HttpClient } from "../../src/gateway/remote/http/http-client.ts";
import { targetOf } from "../../src/gateway/remote/http/target.ts";

const ROUND_MS = 250;
const ROUNDS = 3;
const AT_ONCE = [1, 16, 50, 200];
const SIZES = [100, 4_096];
const HEADERS = { "content-type": "application/json", accept: "application/json" };
const BODY = JSON.stringify({
  query: "query($id: ID!) { user(id: $id) { id name } }",
  variables: { id: "12" },
});

interface Figures {
  perSecond: number;
  cpuMicros: number;
}

/** Answers each request with as many bytes as its path says. */
function serve(): void {
  const answers = new Map(
    SIZES.map((size) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${size}\r\n\r\n`;
      return [`/${size}`, Buffer.from(head + JSON.stringify({ data: "x".repeat(size - 11) }))];
    }),
  );
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, request) {
        const head = request.toString("latin1", 0, 32);
        socket.write(answers.get(head.slice(5, head.indexOf(" ", 5))) as Buffer);
      },
    },
  });
  process.send?.(server.port);
}

/** As many calls as can be made, `atOnce` in flight. */
async function measure(atOnce: number, call: () => Promise<unknown>): Promise<Figures> {
  let calls = 0;
  const start = performance.now();
  const before = process.cpuUsage();
  const caller = async () => {
    while (performance.now() - start < ROUND_MS) {
      await call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  const { user, system } = process.cpuUsage(before);
  return {
    perSecond: (calls * 1_000) / (performance.now() - start),
    cpuMicros: (user + system) / calls,
  };
}

/** As calls were made before there was the client: a deadline each, redirects left alone, the whole body read. */
async function byFetch(url: string): Promise<Uint8Array> {
  const response = await fetch(url, {
    method: "POST",
    headers: HEADERS,
    body: BODY,
    signal: AbortSignal.timeout(10_000),
    redirect: "manual",
  });
  return response.bytes();
}

function median(rounds: Figures[], figure: keyof Figures): number {
  return rounds.map((round) => round[figure]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] as number;
}

export async function benchCalls(): Promise<void> {
  const { promise: listening, resolve } = Promise.withResolvers<number>();
  const service = Bun.spawn([process.execPath, import.meta.path, "serve"], { ipc: resolve });
  const url = `http://127.0.0.1:${await listening}`;
  await using client = new HttpClient();
  const table: Record<string, string | number>[] = [];
  for (const size of SIZES) {
    const target = targetOf(`${url}/${size}`, HEADERS);
    const request = { headers: {}, body: BODY, deadlineMs: 10_000, maxBytes: 1e6, isRepeatable: true };
    const ways = {
      fetch: { call: () => byFetch(target.url), rounds: [] as Figures[] },
      client: { call: () => client.post(target, request), rounds: [] as Figures[] },
    };
    for (const atOnce of AT_ONCE) {
      for (const way of Object.values(ways)) way.rounds = [];
      for (let round = 0; round <= ROUNDS; round++) {
        for (const { call, rounds } of Object.values(ways)) {
          const figures = await measure(atOnce, call);
          // The first one is for the compiler.
          if (round > 0) rounds.push(figures);
        }
      }
      const row: Record<string, string | number> = { bytes: size, "at once": atOnce };
      for (const [way, { rounds }] of Object.entries(ways)) {
        row[`${way}: calls/s`] = Math.round(median(rounds, "perSecond"));
        row[`${way}: CPU µs`] = median(rounds, "cpuMicros").toFixed(1);
      }
      table.push(row);
    }
  }
  service.kill();
  console.table(table);
}

if (process.argv[2] === "serve") serve();
else if (import.meta.main) await benchCalls();
