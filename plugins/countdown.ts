/**
 * A subscription, with one timer for all who listen: it begins in `setup` and ends with this version of the plugin.
 * Who listens when the file is saved goes on with the next version. At /plugins/countdown/ is a page that shows it.
 */
import { definePlugin } from "bobbin";
import { GraphQLError } from "graphql";

let second = Promise.withResolvers<void>();

export default definePlugin({
  name: "countdown",
  version: "1.0.0",
  description: "The seconds until something happens",
  typeDefs: /* GraphQL */ `
    type Query {
      "Whole seconds from now; 0 for what is past."
      secondsUntil(instant: String!): Float!
    }
    type Subscription {
      "The same every second; ends with 0."
      countdown(to: String!): Float!
    }
  `,
  resolvers: {
    Query: {
      secondsUntil: (_parent, { instant }: { instant: string }) => secondsUntil(timeOf(instant)),
    },
    Subscription: {
      countdown: {
        subscribe: (_parent, { to }: { to: string }, { signal }) => countdownTo(timeOf(to), signal),
      },
    },
  },
  setup({ every, defer }) {
    const tick = () => {
      second.resolve();
      second = Promise.withResolvers();
    };
    every(1_000, tick);
    // The last tick, for those who still wait for the next one when this version ends.
    defer(tick);
  },
  fetch: () => new Response(PAGE, { headers: { "content-type": "text/html; charset=utf-8" } }),
});

async function* countdownTo(time: number, signal: AbortSignal) {
  while (!signal.aborted) {
    const countdown = secondsUntil(time);
    yield { countdown };
    if (countdown === 0) return;
    await second.promise;
  }
}

const secondsUntil = (time: number): number => Math.max(0, Math.ceil((time - Date.now()) / 1_000));

function timeOf(instant: string): number {
  const time = Date.parse(instant);
  if (!Number.isNaN(time)) return time;
  throw new GraphQLError(`${instant} is no point in time such as 2030-01-01T00:00:00Z`, {
    extensions: { code: "BAD_USER_INPUT" },
  });
}

const PAGE = /* HTML */ `<!doctype html>
  <html lang="en">
    <title>Countdown</title>
    <p><output></output> seconds to the next year</p>
    <script>
      const to = new Date().getFullYear() + 1 + "-01-01T00:00:00Z";
      const query = "subscription ($to: String!) { countdown(to: $to) }";
      const parameters = new URLSearchParams({ query, variables: JSON.stringify({ to }) });
      const events = new EventSource("/plugins/countdown/graphql?" + parameters);
      events.addEventListener("next", ({ data }) => {
        document.querySelector("output").value = JSON.parse(data).data.countdown;
      });
      events.addEventListener("complete", () => events.close());
    </script>
  </html>
`;
