/**
 * `new Elysia().use(joinElysia({ name: "orders" })).listen(4001)`. Knows as much of Elysia as it needs.
 */
import { type Joining, join } from "./join.ts";

interface App {
  readonly server: { readonly hostname?: string | undefined; readonly port?: number | undefined } | null;
  onStart(handler: (app: App) => unknown): unknown;
  onStop(handler: () => unknown): unknown;
}

/** An Elysia plugin: the service is in the registry while the app listens. */
export function joinElysia(joining: Joining): <T>(app: T) => T {
  let leave: (() => Promise<boolean>) | undefined;
  return (app) => {
    const elysia = app as App;
    elysia.onStart(({ server }) => {
      leave = join(joining, { hostname: server?.hostname, port: server?.port });
    });
    elysia.onStop(() => leave?.());
    return app;
  };
}
