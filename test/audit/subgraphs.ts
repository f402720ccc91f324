/** The audit's subgraphs on a free port, which it prints. A program of its own: they bring their own graphql along. */
import { join } from "node:path";

const { serve } = (await import(join(Bun.argv[2] ?? "", "src/index.ts"))) as {
  serve: (port: number) => Promise<unknown>;
};
const free = Bun.serve({ port: 0, fetch: () => new Response() });
const { port } = free;
await free.stop(true);
await serve(port as number);
console.log(port);
