/**
 * The core's GraphQL door: the registry as a schema. Holds no state and decides nothing.
 */
import { yoga } from "@elysiajs/graphql-yoga";
import { Elysia } from "elysia";
import type { GraphQLSchema } from "graphql";
import { BobbinError, toBobbinError } from "../errors.ts";
import type { GatewayContext } from "../gateway/remote/request-context.ts";
import type { Log } from "../log.ts";
import type { Registration, Update } from "../registry/registration.ts";
import { getsRequests, type Service, servingInstance } from "../registry/service.ts";
import { refusal, toGraphQLError } from "./answers.ts";
import { CORE_SDL } from "./core-sdl.ts";
import { type DoorRoute, elysiaError } from "./elysia-error.ts";
import { executableSchema } from "./executable-schema.ts";
import type { Guard } from "./guard.ts";
import { find, type Operations, present } from "./operations.ts";
import { paced } from "./paced.ts";
import type { Streams } from "./sse.ts";
import { serviceView } from "./views.ts";
import { yogaOptions } from "./yoga.ts";

export interface CoreOptions {
  operations: Operations;
  guard: Guard;
  /** The streams that subscriptions are counted among. */
  streams: Streams;
  /** Aborts when streams have to end. */
  stopping: AbortSignal;
  log: Log;
}

type Named = { name?: string | null };
type Absent<T> = { [K in keyof T]: T[K] | null };

/** The core's executable schema, as :3001 serves it; the gateway serves a part of it. */
export function coreSchema({ operations, guard, streams }: CoreOptions): GraphQLSchema {
  const write = async (context: GatewayContext, service: string) => {
    if (!context.request) throw new BobbinError("UNAUTHENTICATED", "Writes need a request of their own.");
    await guard.checkWrite(context.request, service);
  };
  return executableSchema<GatewayContext>(CORE_SDL, {
    Query: {
      getActiveServices: () => pacedViews(operations.services().filter(({ status }) => getsRequests(status))),
      getServices: () => pacedViews(operations.services()),
      getService: coded((_: unknown, { name }: Named) => serviceView(find(operations, named(name)))),
      getGatewaySubgraphs: () => operations.services().flatMap(subgraphView),
      checkAllServicesHealth: async () => {
        await operations.checkAll();
        return operations
          .services()
          .map(({ name, status }) => ({ service: name, healthy: getsRequests(status) }));
      },
    },
    Mutation: {
      registerService: coded(async (_: unknown, { input }: { input: Absent<Registration> }, context) => {
        await write(context, input.name ?? "");
        const { service } = await operations.register({
          ...(present(input) as Registration),
          door: "GRAPHQL",
          source: "REMOTE",
        });
        return serviceView(service);
      }),
      unregisterService: coded(async (_: unknown, { name }: Named, context) => {
        await write(context, name ?? "");
        return serviceView(await operations.unregister(named(name)));
      }),
      updateService: coded(
        async (_: unknown, { name, input }: Named & { input: Absent<Update> }, context) => {
          await write(context, name ?? "");
          return serviceView(await operations.update(named(name), present(input) as Update));
        },
      ),
    },
    Subscription: {
      serviceEvents: {
        subscribe: coded((_: unknown, __: unknown, context) =>
          streams.follow(context.request?.signal, (signal) => operations.events.follow(signal)),
        ),
        resolve: (event: { at: number }) => ({ ...event, at: new Date(event.at).toISOString() }),
      },
    },
  });
}

/** The door on :3001. `GET /` leads to GraphiQL. */
export function coreApi(schema: GraphQLSchema, { guard, log, stopping }: CoreOptions) {
  const context = async ({ request }: { request: Request }): Promise<GatewayContext> => ({
    request,
    hops: 0,
    writeToken: await guard.writeToken(request),
  });
  let routes: readonly DoorRoute[] = [];
  const app = new Elysia()
    .onError(({ error, code, request, path }) => refusal(elysiaError(error, code, request, routes), path))
    .use(yoga({ schema, context, ...yogaOptions({ log, title: "bobbin core", stopping }) }))
    .get("/", ({ redirect }) => redirect("/graphql"));
  routes = app.routes;
  return app;
}

function pacedViews(services: readonly Service[]) {
  // A service has about twice as many fields of its own as an instance has.
  return paced(services, ({ instances }) => instances.length + 2, serviceView);
}

function named(name: string | null | undefined): string {
  if (name) return name;
  throw new BobbinError("SERVICE_NOT_FOUND", "Name a service.");
}

function subgraphView(service: Service): { name: string; url: string }[] {
  const url = (servingInstance(service) ?? service.instances[0])?.graphqlUrl;
  return url ? [{ name: service.name, url }] : [];
}

/** A resolver whose refusals carry their code, in the graph too, where another server formats the errors. */
function coded<A, R>(resolve: (parent: unknown, args: A, context: GatewayContext) => R | Promise<R>) {
  return async (parent: unknown, args: A, context: GatewayContext): Promise<R> => {
    try {
      return await resolve(parent, args, context);
    } catch (thrown) {
      const error = toBobbinError(thrown);
      throw error.code === "INTERNAL" ? thrown : toGraphQLError(error);
    }
  };
}
