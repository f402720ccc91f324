/**
 * The load of the gateway benchmark, in a process of its own: keeps a number of connections busy for a while, and says
 * how many answers came, and how many of them failed or were not of the expected length. Knows no gateway.
 */
import { Messages } from "./messages.ts";

export interface Load {
  readonly port: number;
  /** Bodies of requests to /graphql, sent by turns, each with the length of its right answer. */
  readonly requests: readonly { readonly body: string; readonly answerBytes: number }[];
  readonly connections: number;
  readonly ms: number;
}

export interface Outcome {
  readonly answers: number;
  readonly wrong: number;
  readonly ms: number;
}

interface Client {
  readonly answers: Messages;
  /** The length of the answer that is waited for; none: all is answered. */
  expected: number | undefined;
}

async function put({ port, requests, connections, ms }: Load): Promise<Outcome> {
  const messages = requests.map(({ body, answerBytes }) => {
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\naccept: application/json\r\n`;
    const bytes = Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return { bytes, answerBytes };
  });
  let next = 0;
  let [answers, wrong, busy] = [0, 0, connections];
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = (socket: Bun.Socket<Client>) => {
    const { bytes, answerBytes } = messages[next++ % messages.length] as (typeof messages)[number];
    socket.data.expected = answerBytes;
    socket.write(bytes);
  };
  for (let i = 0; i < connections; i++) {
    await Bun.connect<Client>({
      hostname: "127.0.0.1",
      port,
      data: { answers: new Messages(), expected: undefined },
      socket: {
        open: ask,
        data(socket, chunk) {
          const answer = socket.data.answers.take(chunk);
          if (!answer) return;
          answers += 1;
          if (answer.begin !== "HTTP/1.1 200" || answer.body.length !== socket.data.expected) wrong += 1;
          if (performance.now() - startedAt < ms) ask(socket);
          else {
            socket.data.expected = undefined;
            socket.end();
          }
        },
        close({ data }) {
          if (data.expected !== undefined) wrong += 1;
          busy -= 1;
          if (busy === 0) resolve();
        },
      },
    });
  }
  await promise;
  return { answers, wrong, ms: performance.now() - startedAt };
}

process.on("message", async (load: Load) => process.send?.(await put(load)));
