/** One line for the servers that people use: each of the real libraries, in a program of its own, in Node. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer } from "node:http";
import { ApolloServer } from "@apollo/server";
import { Elysia } from "elysia";
import Fastify from "fastify";
import { createSchema, createYoga } from "graphql-yoga";
import {
  createClient,
  joinApollo,
  joinElysia,
  joinFastify,
  joinHttp,
  joinYoga,
} from "../../src/client/index.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { get, graphql, until } from "../support/client.ts";
import { start } from "./program.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const GRAPHQL = ["graphql"];
const SCHEMA = (field: string) => `
  const typeDefs = "type Query { ${field}: String }";
  const resolvers = { Query: { ${field}: () => "well" } };`;

interface Server {
  readonly source: string;
  readonly packages: readonly string[];
  readonly runtime?: "bun";
  /** Its GraphQL has a field of its name. */
  readonly isGraphQL?: boolean;
}

/**
 * Name of the service → the server; on SIGUSR2 each stops serving the way its library has. That the program ends has
 * nothing to do with it: it goes on.
 */
const SERVERS: Record<string, Server> = {
  elysia: {
    packages: ["elysia"],
    runtime: "bun",
    source: `
      import { joinElysia } from "bobbin/client";
      import { Elysia } from "elysia";
      const app = new Elysia().use(joinElysia({ name: "elysia" })).get("/", () => "ok").listen(0);
      process.on("SIGUSR2", () => app.stop());`,
  },
  fastify: {
    packages: ["fastify"],
    source: `
      import { joinFastify } from "bobbin/client";
      import Fastify from "fastify";
      const app = Fastify();
      app.register(joinFastify({ name: "fastify" }));
      app.get("/", () => "ok");
      await app.listen({ port: 0 });
      process.on("SIGUSR2", () => app.close());`,
  },
  express: {
    packages: ["express"],
    source: `
      import { joinHttp } from "bobbin/client";
      import express from "express";
      const app = express();
      app.get("/", (_request, response) => { response.send("ok"); });
      const server = joinHttp(app.listen(0), { name: "express" });
      process.on("SIGUSR2", () => { server.close(); server.closeAllConnections(); });`,
  },
  yoga: {
    packages: ["graphql-yoga", ...GRAPHQL],
    isGraphQL: true,
    source: `
      import { createServer } from "node:http";
      import { joinYoga } from "bobbin/client";
      import { createSchema, createYoga } from "graphql-yoga";
      ${SCHEMA("yoga")}
      const port = Number(process.env.PORT);
      const yoga = createYoga({
        schema: createSchema({ typeDefs, resolvers }),
        plugins: [joinYoga({ name: "yoga", url: \`http://localhost:\${port}\` })],
        logging: false,
      });
      const server = createServer(yoga).listen(port);
      process.on("SIGUSR2", () => yoga.dispose());`,
  },
  apollo: {
    packages: ["@apollo", ...GRAPHQL],
    isGraphQL: true,
    source: `
      import { joinApollo } from "bobbin/client";
      import { ApolloServer } from "@apollo/server";
      import { startStandaloneServer } from "@apollo/server/standalone";
      ${SCHEMA("apollo")}
      const server = new ApolloServer({
        typeDefs,
        resolvers,
        plugins: [joinApollo({ name: "apollo" })],
      });
      await startStandaloneServer(server, { listen: { port: Number(process.env.PORT) } });
      process.on("SIGUSR2", () => server.stop());`,
  },
};

test.concurrent.each(Object.entries(SERVERS))(
  "%s: registered while it serves, and gone when it stops",
  async (name, server) => {
    const free = Bun.serve({ port: 0, fetch: () => new Response() });
    const { port } = free;
    await free.stop(true);
    await using program = await start("main.mjs", `${server.source}\nsetInterval(() => {}, 1000);`, {
      ...(server.runtime ? { runtime: server.runtime } : {}),
      packages: server.packages,
      env: {
        SERVICE_REGISTRY_URL: app.urls.registry,
        PORT: String(port),
        ...(name === "apollo" ? { SERVICE_URL: `http://localhost:${port}` } : {}),
      },
    });
    const { body } = await until(
      () => get(`${app.urls.registry}/services/${name}`),
      ({ body }) => body.status === "ACTIVE",
    );
    expect(body).toMatchObject({ ttl: 30, url: expect.stringMatching(/^http:\/\/localhost:\d+$/) });
    if (server.isGraphQL) {
      expect(body.graphqlUrl).toBe(`http://localhost:${port}/graphql`);
      await until(
        () => graphql(app.urls.gateway, `{ ${name} }`),
        ({ data }) => data?.[name] === "well",
      );
    }
    program.kill("SIGUSR2");
    await until(
      () => get(`${app.urls.registry}/services/${name}`),
      ({ status }) => status === 404,
    );
    expect(program.stderr).toBe("");
  },
);

test("the helpers fit the types of the libraries", async () => {
  const client = createClient({ registryUrl: app.urls.registry });
  const joining = { name: "typed", url: "http://127.0.0.1:9", client };
  const typeDefs = "type Query { typed: String }";
  expect(new Elysia().use(joinElysia(joining)).get("/", () => "ok").server).toBeNull();
  await Fastify().register(joinFastify(joining));
  expect(joinHttp(createServer(), joining).listening).toBe(false);
  createYoga({ schema: createSchema({ typeDefs }), plugins: [joinYoga(joining)] });
  expect(new ApolloServer({ typeDefs, plugins: [joinApollo(joining)] }).cache).toBeDefined();
  await client.close();
});

test.concurrent("a helper that cannot know where the service is says what to set", async () => {
  await using program = await start(
    "main.mjs",
    `import { joinYoga } from "bobbin/client";
    joinYoga({ name: "lost" }).onYogaInit({ yoga: { graphqlEndpoint: "/graphql" } });`,
  );
  expect(await program.ended).toBe(1);
  expect(program.stderr).toContain("lost cannot join: set url, or SERVICE_URL");
});
