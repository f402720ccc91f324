/** The smallest useful plugin: one field with an argument, an answer of its own type, and an error for the client. */
import { definePlugin } from "bobbin";
import { GraphQLError } from "graphql";

export default definePlugin({
  name: "time",
  version: "1.0.0",
  description: "What time it is, anywhere",
  typeDefs: /* GraphQL */ `
    type Query {
      "The time in an IANA time zone such as Europe/Vienna."
      timeIn(zone: String! = "UTC"): TimeInZone
    }
    type TimeInZone {
      zone: String!
      "ISO 8601, UTC."
      instant: String!
      "As a clock on the wall there shows it."
      clock: String!
    }
  `,
  resolvers: {
    Query: {
      timeIn(_parent, { zone }: { zone: string }) {
        const now = new Date();
        return { zone, instant: now.toISOString(), clock: clockIn(zone, now) };
      },
    },
  },
});

function clockIn(zone: string, now: Date): string {
  try {
    return now.toLocaleTimeString("en-GB", { timeZone: zone });
  } catch {
    // The client reads a GraphQLError as it is written here; any other error is for the log alone.
    throw new GraphQLError(`${zone} is not a time zone`, { extensions: { code: "BAD_USER_INPUT" } });
  }
}
