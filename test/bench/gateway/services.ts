/**
 * The market's services for the gateway benchmark, in a process of their own: GraphQL, but every answer is made once
 * and from then on the same bytes again, so that they cost as little as they can. Knows nothing of who asks.
 */
import { buildSchema, graphqlSync } from "graphql";
import { DIRECTIVES, ROOT, SDLS, type ServiceName } from "./market.ts";
import { Messages } from "./messages.ts";

const MOST_KEPT = 50_000;

interface Connection {
  readonly requests: Messages;
  /** What the socket has not taken yet. */
  rest: Buffer | undefined;
}

function serve(name: ServiceName): number {
  const sdl = SDLS[name];
  const schema = buildSchema(`${DIRECTIVES}\n${sdl}`);
  const kept = new Map<string, Buffer>();
  const answerTo = (request: string): Buffer => {
    const known = kept.get(request);
    if (known) return known;
    const { query: source, variables: variableValues } = JSON.parse(request);
    const result = graphqlSync({ schema, source, variableValues, rootValue: { ...ROOT, _sdl: sdl } });
    const body = Buffer.from(JSON.stringify(result));
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const answer = Buffer.concat([Buffer.from(head), body]);
    if (kept.size < MOST_KEPT) kept.set(request, answer);
    return answer;
  };
  const { port } = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        socket.data = { requests: new Messages(), rest: undefined };
      },
      data(socket, chunk) {
        const { data } = socket;
        // One at a time: nobody asks again before the answer.
        const request = data.requests.take(chunk);
        if (!request) return;
        const answer = answerTo(request.body.toString());
        const written = socket.write(answer);
        if (written < answer.length) data.rest = answer.subarray(written);
      },
      drain(socket) {
        const { rest } = socket.data;
        if (!rest) return;
        const written = socket.write(rest);
        socket.data.rest = written < rest.length ? rest.subarray(written) : undefined;
      },
    },
  });
  return port;
}

const names = Object.keys(SDLS) as ServiceName[];
process.send?.(Object.fromEntries(names.map((name) => [name, `http://127.0.0.1:${serve(name)}/graphql`])));
