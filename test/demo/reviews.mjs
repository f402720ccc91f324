/** Reviews, served by graphql-http on plain Node.js. Registers itself over the core's GraphQL when it listens. */
import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { createHandler } from "graphql-http/lib/use/http";

const REVIEWS = {
  1: [
    { stars: 5, text: "Cold, and full of warmth." },
    { stars: 4, text: "The ice alone is worth it." },
  ],
  2: [{ stars: 5, text: "The ocean looks back." }],
};

const handle = createHandler({
  schema: buildSchema(/* GraphQL */ `
    type Query {
      reviews(book: ID!): [Review!]
    }
    type Review {
      stars: Int!
      text: String!
    }
  `),
  rootValue: { reviews: ({ book }) => REVIEWS[book] ?? [] },
});

const server = createServer((request, response) =>
  request.url === "/graphql" ? handle(request, response) : response.writeHead(404).end(),
);
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

const answer = await fetch(process.env.CORE_SERVICE_URL, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    query: "mutation ($input: RegisterServiceInput!) { registerService(input: $input) { id } }",
    variables: {
      input: {
        name: "reviews",
        displayName: "Reviews",
        url: `http://127.0.0.1:${server.address().port}/graphql`,
        version: "1.0.0",
        dependencies: ["core"],
      },
    },
  }),
});
const { errors } = await answer.json();
if (errors) throw new Error(errors[0].message);
