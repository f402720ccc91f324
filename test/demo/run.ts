/**
 * `npm run demo`: starts the compiled binary and two GraphQL services of different make in processes of their own,
 * asks one query across both, drops a plugin in that adds a field to one of them, lets the other crash, and asks
 * again. Ends by itself.
 */
import { join, resolve } from "node:path";
import { startBinary } from "../support/app.ts";
import { type GraphQLAnswer, graphql, until } from "../support/client.ts";

const QUERY = `query {
  book(id: "1") { title author }
  reviews(book: "1") { stars text }
}`;
const EXTENDED_QUERY = QUERY.replace("author", "author copies");
/** A plugin that adds the field `copies` to the catalog's books. */
const PLUGIN = resolve(import.meta.dir, "../../plugins/shelf.ts");

export interface DemoAnswers {
  /** With both services up. */
  whole: GraphQLAnswer;
  /** With the plugin as well. */
  extended: GraphQLAnswer;
  /** After the reviews have crashed. */
  partial: GraphQLAnswer;
}

/** A service in a process of its own; it ends with the demonstration, whatever happens. */
function startService(command: readonly string[], env: Record<string, string>) {
  const child = Bun.spawn([...command], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdout: "inherit",
    stderr: "inherit",
  });
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await child.exited;
  };
  return { stop, [Symbol.asyncDispose]: () => stop("SIGTERM") };
}

const indented = (text: string): string => text.replace(/^/gm, "     ");

export async function runDemo(print: (text: string) => void): Promise<DemoAnswers> {
  await using bobbin = await startBinary({ env: { LOG_LEVEL: "info" } });
  const { gateway, core, registry } = bobbin.urls;
  print(`bobbin is up
     gateway   ${gateway}/graphql
     core      ${core}/graphql
     registry  ${registry}`);

  print(`\n1. Two services start and register themselves
     catalog   graphql-yoga on Bun      POST ${registry}/register
     reviews   graphql-http on Node.js  mutation registerService at ${core}/graphql`);
  const env = { SERVICE_REGISTRY_URL: registry, CORE_SERVICE_URL: `${core}/graphql` };
  const file = (name: string) => join(import.meta.dir, name);
  await using _catalog = startService([process.execPath, file("catalog.ts")], env);
  await using reviews = startService(["node", file("reviews.mjs")], env);
  // The fields are in the graph as soon as the services are registered; until then the query does not fit the schema.
  const whole = await until(
    () => graphql(gateway, QUERY),
    ({ errors }) => !errors,
  );
  print(`\n2. One query across both, asked of the gateway\n${indented(QUERY)}`);
  print(`\n   and its answer\n${indented(show(whole))}`);

  await Bun.write(join(bobbin.folder, "plugins/shelf.ts"), Bun.file(PLUGIN));
  const extended = await until(
    () => graphql(gateway, EXTENDED_QUERY),
    ({ errors }) => !errors,
  );
  print(`\n3. The file plugins/shelf.ts was dropped in: books have copies\n${indented(EXTENDED_QUERY)}`);
  print(`\n   and its answer\n${indented(show(extended))}`);

  await reviews.stop("SIGKILL");
  const partial = await graphql(gateway, EXTENDED_QUERY);
  print(`\n4. The reviews service has crashed. The same query now\n${indented(show(partial))}`);

  print(`\nWhat is there is delivered, what is not says why. Your turn: npm start`);
  return { whole, extended, partial };
}

/** The answer as the client got it. */
function show({ data, errors }: GraphQLAnswer): string {
  return Bun.inspect({ data, ...(errors ? { errors } : {}) }, { depth: 10, colors: process.stdout.isTTY });
}

if (import.meta.main) await runDemo((text) => console.log(text));
