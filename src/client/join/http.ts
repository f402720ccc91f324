/**
 * `joinHttp(app.listen(4001), { name: "orders" })`: any server of Node's, such as Express's. Knows as much of it as it
 * needs.
 */
import { type Joining, join } from "./join.ts";

interface Server {
  readonly listening: boolean;
  address(): unknown;
  once(event: "listening" | "close", listener: () => void): unknown;
}

/** The service is in the registry while the server listens. Returns the server. */
export function joinHttp<T extends Server>(server: T, joining: Joining): T {
  const onListening = () => {
    const { address: hostname, port } = (server.address() ?? {}) as { address?: string; port?: number };
    const leave = join(joining, { hostname, port });
    server.once("close", () => void leave());
  };
  if (server.listening) onListening();
  else server.once("listening", onListening);
  return server;
}
