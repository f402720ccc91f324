/**
 * `app.register(joinFastify({ name: "orders" }))`. Knows as much of Fastify as it needs.
 */
import { type Joining, join } from "./join.ts";

interface App {
  readonly server: { address(): unknown };
  addHook(name: "onListen" | "preClose", hook: () => Promise<void>): unknown;
}

/** A Fastify plugin: the service is in the registry from when the app listens until it begins to close. */
export function joinFastify(joining: Joining): (app: App) => Promise<void> {
  return async (app) => {
    let leave: (() => Promise<boolean>) | undefined;
    app.addHook("onListen", async () => {
      const { address: hostname, port } = (app.server.address() ?? {}) as { address?: string; port?: number };
      leave = join(joining, { hostname, port });
    });
    app.addHook("preClose", async () => {
      await leave?.();
    });
  };
}
