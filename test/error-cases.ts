/** For each code of the table, what gets it: a request, or a call of the one part that can cause it. */
import { GraphQLSchema, parse } from "graphql";
import { Streams } from "../src/api/sse.ts";
import { BobbinError, type ErrorCode } from "../src/errors.ts";
import { compose } from "../src/gateway/compose/compose.ts";
import { composeSafely } from "../src/gateway/compose/compose-safely.ts";
import { atOnce } from "../src/gateway/compose/slices.ts";
import { callGraphQL } from "../src/gateway/remote/graphql-call.ts";
import { remoteExecutor } from "../src/gateway/remote/remote-executor.ts";
import { buildSubgraph, type Subgraph } from "../src/gateway/subgraph/subgraph.ts";
import { LIMITS } from "../src/registry/fields.ts";
import { register } from "../src/registry/registration.ts";
import type { Service } from "../src/registry/service.ts";
import { startApp, type TestApp } from "./support/app.ts";
import { get, graphql, until } from "./support/client.ts";
import { refused, type Seen } from "./support/refusal.ts";
import { startService, type TestService } from "./support/service.ts";
import { token } from "./support/tokens.ts";
import { rawRequest } from "./support/wire.ts";

export interface World {
  /** With the service `fine` and the plugins `good`, `broken`, `wrong`, `throws`, `exits`, `boxes` and `lids`. */
  readonly app: TestApp;
  /** Takes writes with a token only. */
  readonly closed: TestApp;
  /** The service `fine`: a field of this name, and a type Thing. */
  readonly service: TestService;
}

export const GRAPHQL = { endpoints: { graphql: "/graphql" } };
const JSON_TYPE = { "content-type": "application/json" };
const UNHEARD = "http://127.0.0.1:9";

const STRICT = { accept: "application/graphql-response+json" };

export function errorCases({ app, closed, service }: World): Record<ErrorCode, () => Promise<Seen>> {
  const send = (path: string, body: unknown, headers: Record<string, string> = {}, on = app) =>
    refused(`${on.urls.registry}${path}`, {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify(body),
    });
  const ask = (query: string, headers: Record<string, string> = {}) =>
    refused(`${app.urls.gateway}/graphql`, {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify({ query }),
    });

  /** The reason that /gateway/services gives for the service, once there is one. */
  async function reasonOf(name: string): Promise<Seen> {
    const services = async () =>
      (
        (await (await fetch(`${app.urls.gateway}/gateway/services`)).json()) as {
          services: { name: string; reason: { code: string } | null }[];
        }
      ).services;
    const reason = (all: Awaited<ReturnType<typeof services>>) =>
      all.find((each) => each.name === name)?.reason;
    return { code: reason(await until(services, (all) => !!reason(all)))?.code };
  }
  async function reasonOfSchema(name: string, typeDefs: string, answer?: () => Response): Promise<Seen> {
    await using other = await startService({ typeDefs });
    other.answerWith(answer);
    await send("/register", { serviceName: name, url: other.url, metadata: GRAPHQL });
    return await reasonOf(name);
  }
  return {
    INVALID_JSON: () =>
      refused(`${app.urls.registry}/register`, { method: "POST", headers: JSON_TYPE, body: "{" }),
    INVALID_INPUT: () => send("/register", { serviceName: "a" }),
    SELF_REFERENCE: () => send("/register", { serviceName: "self", url: `${app.urls.gateway}/graphql` }),
    UNSUPPORTED_MEDIA_TYPE: () => send("/register", {}, { "content-type": "text/plain" }),
    BODY_TOO_LARGE: () => send("/register", { serviceName: "a", description: "x".repeat(1_100_000) }),
    UNAUTHENTICATED: () => send("/register", {}, {}, closed),
    FORBIDDEN: async () =>
      send(
        "/unregister",
        { serviceName: "b" },
        { authorization: `Bearer ${await token({ claims: { service: "a" } })}` },
        closed,
      ),
    FORBIDDEN_ORIGIN: () => send("/register", {}, { origin: "https://evil.example" }),
    FORBIDDEN_HOST: async () => {
      const answer = await rawRequest(
        app.urls.registry,
        "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        (text) => text.endsWith("}"),
      );
      return {
        status: Number(answer.split(" ")[1]),
        code: JSON.parse(answer.split("\r\n\r\n")[1] ?? "").code,
      };
    },
    PREFLIGHT_REQUIRED: () =>
      refused(`${app.urls.gateway}/graphql`, {
        method: "POST",
        body: new URLSearchParams({ query: "{ fine }" }),
      }),
    NOT_FOUND: () => refused(`${app.urls.core}/nothing`),
    METHOD_NOT_ALLOWED: () => refused(`${app.urls.gateway}/gateway/reload`),
    NOT_ACCEPTABLE: () =>
      refused(`${app.urls.gateway}/graphql?query={__typename}`, { headers: { accept: "text/plain" } }),
    SERVICE_NOT_FOUND: () => refused(`${app.urls.registry}/services/nobody`),
    INSTANCE_NOT_FOUND: () => send("/heartbeat", { serviceName: "fine", url: UNHEARD }),
    NAME_TAKEN: () => send("/register", { serviceName: "core", url: UNHEARD }),
    CONFLICT: async () => {
      for (const port of [9, 8])
        await send("/register", { serviceName: "two", url: `http://127.0.0.1:${port}` });
      const { errors } = await graphql(
        app.urls.core,
        `mutation { updateService(name: "two", input: { url: "${UNHEARD}" }) { id } }`,
      );
      return { code: errors?.[0]?.extensions?.code };
    },
    LIMIT_REACHED: () =>
      thrownBy(() => {
        let many: Service | undefined;
        for (let port = 1; port <= LIMITS.instances + 1; port++) {
          many = register(many, { name: "many", url: `http://h:${port}`, door: "REST", source: "REMOTE" }, 0);
        }
      }),
    NO_HEALTHY_INSTANCE: async () => {
      await send("/register", { serviceName: "down", url: UNHEARD });
      return refused(`${app.urls.registry}/services/down?healthy=true`);
    },
    REGISTRY_UNAVAILABLE: async () => {
      await using second = await startApp({ folder: app.folder });
      return await send("/register", { serviceName: "a", url: UNHEARD }, {}, second);
    },
    OVERLOADED: () =>
      thrownBy(() => {
        const streams = new Streams();
        for (let open = 0; open <= 1_000; open++)
          streams.respond(new Request("http://localhost/events"), async function* () {});
      }),
    INTERNAL: () => ask("{ throws }"),

    GRAPHQL_REQUEST_INVALID: () =>
      refused(`${app.urls.gateway}/graphql`, {
        method: "POST",
        headers: JSON_TYPE,
        body: '[{"query":"{ fine }"}]',
      }),
    GRAPHQL_PARSE_FAILED: () => ask("{", STRICT),
    GRAPHQL_VALIDATION_FAILED: () => ask("{ nothing }", STRICT),

    SERVICE_UNAVAILABLE: async () => {
      await using other = await startService({ typeDefs: "type Query { leaving: String }" });
      await send("/register", { serviceName: "leaving", url: other.url, metadata: GRAPHQL });
      await until(
        () => graphql(app.urls.gateway, "{ leaving }"),
        ({ data }) => data?.leaving === null,
      );
      await other.stop();
      return { code: (await ask("{ leaving }")).code };
    },
    SERVICE_TIMEOUT: () =>
      hanging((url) =>
        thrownBy(() =>
          callGraphQL({ url, body: "{}", headers: {}, signal: AbortSignal.timeout(20), maxBytes: 1 }),
        ),
      ),
    SERVICE_OVERLOADED: () =>
      hanging(async (graphqlUrl) => {
        const leaving = new AbortController();
        const execute = remoteExecutor("slow", {
          route: () => ({ origin: UNHEARD, graphqlUrl, headers: [] }),
          onFailure: () => {},
        });
        const request = new Request("http://localhost", { signal: leaving.signal });
        const call = () =>
          execute({ document: parse("{ a }"), context: { request, hops: 0, writeToken: undefined } });
        const calls = Array.from(
          { length: 64 + 1_024 + 1 },
          async () => (await call()) as { errors?: { extensions: { code: string } }[] },
        );
        const last = (await calls.at(-1))?.errors?.[0]?.extensions.code;
        leaving.abort();
        await Promise.all(calls);
        return { code: last };
      }),
    INVALID_SERVICE_RESPONSE: async () => {
      service.answerWith(() => new Response("<html>", { status: 200 }));
      const seen = await ask("{ fine }");
      service.answerWith(undefined);
      return { code: seen.code };
    },
    FIELD_UNREACHABLE: () => ask('{ boxes(ids: ["1"]) { id lid } }'),
    LOOP_DETECTED: () => ask("{ fine }", { "x-bobbin-hops": "9" }),

    SCHEMA_UNREACHABLE: async () => {
      await send("/register", { serviceName: "unheard", url: UNHEARD, metadata: GRAPHQL });
      return reasonOf("unheard");
    },
    SCHEMA_INVALID: () =>
      reasonOfSchema("invalid", "type Query { a: String }", () =>
        Response.json({ data: { __schema: { types: [] } } }),
      ),
    ROOT_FIELD_TAKEN: () => reasonOfSchema("taker", "type Query { fine: Int }"),
    TYPE_CONFLICT: () => reasonOfSchema("other-thing", "type Query { thing: Thing } type Thing { b: Int }"),
    BREAKING_CHANGE: async () => {
      const [before, latest] = ["a: Int b: Int", "a: Int"].map((fields) =>
        buildSubgraph({ name: "less", sdl: `type Query { ${fields} }`, namespace: null }, async () => ({})),
      ) as [Subgraph, Subgraph];
      const graph = compose([], [{ latest: before, previous: undefined }]);
      const work = composeSafely(graph, [], [{ latest, previous: before }], () => false);
      const { rejected } = atOnce(work).value;
      return { code: rejected.get("less")?.code };
    },
    COMPOSITION_FAILED: async () => {
      const core = buildSubgraph(
        { name: "core", sdl: "type Query { a: String }", namespace: null },
        async () => ({}),
      );
      const latest = {
        ...buildSubgraph({ name: "odd", sdl: "type Query { b: String }", namespace: null }, async () => ({})),
        config: {
          schema: new GraphQLSchema({}),
          transforms: [
            {
              transformSchema: () => {
                throw new Error("does not merge");
              },
            },
          ],
        },
      };
      return {
        code: compose([core], [{ latest: latest as never, previous: undefined }]).rejected.get("odd")?.code,
      };
    },

    PLUGIN_LOAD_FAILED: () => reasonOf("broken"),
    PLUGIN_INVALID: () => reasonOf("wrong"),
    PLUGIN_CRASHED: async () => {
      const crashes = () =>
        get(`${app.urls.gateway}/plugins`).then(
          ({ body }) => body.plugins.find(({ name }: { name: string }) => name === "exits").crashes,
        );
      for (let crash = 1; crash <= 3; crash++) {
        // While it is restarted its field fails, and nothing crashes.
        await until(
          async () => {
            await graphql(app.urls.gateway, "{ exits }");
            return await crashes();
          },
          (seen) => seen >= crash,
        );
      }
      return reasonOf("exits");
    },
    PLUGIN_NOT_FOUND: () => refused(`${app.urls.gateway}/plugins/nobody/reload`, { method: "POST" }),
  };
}

async function thrownBy(action: () => unknown): Promise<Seen> {
  try {
    await action();
    return { code: undefined };
  } catch (error) {
    return error instanceof BobbinError ? { status: error.status, code: error.code } : { code: error };
  }
}

/** A server that takes a request and never answers. */
async function hanging<T>(use: (url: string) => Promise<T>): Promise<T> {
  await using server = await startService({ typeDefs: "type Query { a: String }" });
  server.answerWith(() => new Promise(() => {}));
  return await use(server.graphqlUrl);
}
