/**
 * Durable registrations a second: each is answered after it is on the disk. One after the other and many at once, of
 * new names and of known ones; beside a limit of the same minute: as many rows, committed in groups of as many, by
 * nothing but libSQL. `bun test/bench/registrations.ts`, or within `npm run bench`; against the compiled binary.
 */
import { type Client, createClient } from "@libsql/client";
import { type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { Messages } from "./gateway/messages.ts";

const ROUNDS = 3;

/** Registers the services numbered below `total`, each over one of `atOnce` connections. Returns how many a second. */
async function registered(
  bobbin: RunningBinary,
  name: string,
  atOnce: number,
  total: number,
): Promise<number> {
  const port = Number(new URL(bobbin.urls.registry).port);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let [next, answered] = [0, 0];
  const send = (socket: Bun.Socket<Messages>) => {
    if (next === total) return void socket.end();
    const n = next++;
    const body = JSON.stringify({ serviceName: `${name}${n}`, url: `http://127.0.0.1:9/${n}` });
    const head = `POST /register HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const startedAt = performance.now();
  for (let i = 0; i < atOnce; i++) {
    await Bun.connect<Messages>({
      hostname: "127.0.0.1",
      port,
      data: new Messages(),
      socket: {
        open: send,
        data(socket, chunk) {
          const answer = socket.data.take(chunk);
          if (!answer) return;
          if (!answer.begin.startsWith("HTTP/1.1 20")) reject(new Error(`a registration: ${answer.body}`));
          answered += 1;
          if (answered === total) resolve();
          send(socket);
        },
      },
    });
  }
  await promise;
  return (total / (performance.now() - startedAt)) * 1_000;
}

/** As durable as the registry is, and as much to write: a row of a service and one of its instance. */
async function openBare(folder: string): Promise<Client> {
  const client = createClient({ url: `file:${folder}/bare.db`, concurrency: 1 });
  for (const pragma of ["locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"]) {
    await client.execute(`PRAGMA ${pragma}`);
  }
  await client.execute("CREATE TABLE services (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  await client.execute("CREATE TABLE instances (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  return client;
}

async function committed(client: Client, atOnce: number, total: number): Promise<number> {
  const [service, instance] = ["s".repeat(400), "i".repeat(150)];
  const places = Array.from({ length: atOnce }, () => "(?, ?)").join();
  const startedAt = performance.now();
  for (let first = 0; first < total; first += atOnce) {
    const names = Array.from({ length: atOnce }, (_, i) => `s${first + i}`);
    await client.batch(
      [
        [`REPLACE INTO services VALUES ${places}`, names.flatMap((name) => [name, service])],
        [`REPLACE INTO instances VALUES ${places}`, names.flatMap((name) => [name, instance])],
      ],
      "write",
    );
  }
  return (total / (performance.now() - startedAt)) * 1_000;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function row(atOnce: number, total: number): Promise<void> {
  const rounds: { fresh: number; known: number; limit: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using folder = await tempFolder();
    await using bobbin = await startBinary();
    const client = await openBare(folder.path);
    await registered(bobbin, "warm", atOnce, Math.min(total, 200));
    const fresh = await registered(bobbin, "s", atOnce, total);
    const limit = await committed(client, atOnce, total);
    const known = await registered(bobbin, "s", atOnce, total);
    client.close();
    rounds.push({ fresh, known, limit });
  }
  const [fresh, known, limit] = (["fresh", "known", "limit"] as const).map((key) =>
    median(rounds.map((each) => each[key])),
  ) as [number, number, number];
  const cells = [fresh, known, limit].map((n) => n.toFixed(0).padStart(8));
  console.log(`${String(atOnce).padStart(8)} ${cells.join(" ")} ${(fresh / limit).toFixed(2).padStart(9)}`);
}

export async function registrations(): Promise<void> {
  console.log(`Durable registrations a second (services without GraphQL; median of ${ROUNDS} rounds)`);
  console.log(" at once      new    known    limit new/limit");
  await row(1, 500);
  await row(50, 4_000);
}

if (import.meta.main) await registrations();
