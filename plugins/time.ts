/** The time of day in any time zone: a small plugin to start from. */
import { definePlugin } from "bobbin";
import { GraphQLError } from "graphql";

export default definePlugin({
  name: "time",
  version: "1.0.0",
  description: "What time it is, anywhere",
  typeDefs: /* GraphQL */ `
    type Query {
      "The time in an IANA time zone such as Europe/Vienna."
      time(zone: String = "UTC"): Time
    }
    type Time {
      zone: String!
      "ISO 8601, UTC."
      instant: String!
      "As a clock on the wall there shows it."
      clock: String!
    }
  `,
  resolvers: {
    Query: {
      time(_parent: unknown, { zone }: { zone: string }) {
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
    throw new GraphQLError(`${zone} is not a time zone`, { extensions: { code: "BAD_USER_INPUT" } });
  }
}
