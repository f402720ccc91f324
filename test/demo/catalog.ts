/** Books, served by graphql-yoga on Bun. Registers itself over REST when it listens, and unregisters when it ends. */
import { createSchema, createYoga } from "graphql-yoga";

const BOOKS = [
  { id: "1", title: "The Left Hand of Darkness", author: "Ursula K. Le Guin" },
  { id: "2", title: "Solaris", author: "Stanisław Lem" },
];

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: /* GraphQL */ `
      type Query {
        book(id: ID!): DemoBook
        books: [DemoBook!]!
      }
      type DemoBook {
        id: ID!
        title: String!
        author: String!
      }
    `,
    resolvers: {
      Query: {
        book: (_: unknown, { id }: { id: string }) => BOOKS.find((book) => book.id === id),
        books: () => BOOKS,
      },
    },
  }),
});

const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => yoga.fetch(request) });

const tellRegistry = async (path: string, body: object) => {
  const response = await fetch(`${process.env.SERVICE_REGISTRY_URL}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
};

await tellRegistry("/register", {
  serviceName: "catalog",
  url: `http://127.0.0.1:${server.port}`,
  metadata: { version: "1.0.0", endpoints: { graphql: "/graphql" } },
});
process.on("SIGTERM", async () => {
  await tellRegistry("/unregister", { serviceName: "catalog" });
  process.exit(0);
});
