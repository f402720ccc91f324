/**
 * Adds a field to a type of another service: `npm run demo` has a catalog with the books, and this one knows how many
 * copies of each are on the shelf. The other service needs no change, and the books of one query come in one call.
 */
import { definePlugin } from "bobbin";

const COPIES = new Map([
  ["1", 3],
  ["2", 0],
]);

export default definePlugin({
  name: "shelf",
  version: "1.0.0",
  description: "How many copies of a book there are",
  typeDefs: /* GraphQL */ `
    type Query {
      "One for each id, in the order of the ids; null for a book that is not known here."
      booksOnShelf(ids: [ID!]!): [DemoBook]! @merge(keyField: "id")
    }
    type DemoBook @key(selectionSet: "{ id }") {
      id: ID!
      "Nullable: the catalog may have books that are not known here."
      copies: Int
    }
  `,
  resolvers: {
    Query: {
      booksOnShelf(_parent, { ids }: { ids: string[] }, { log }) {
        log.debug("books asked for", { ids });
        return ids.map((id) => (COPIES.has(id) ? { id, copies: COPIES.get(id) } : null));
      },
    },
  },
});
