/**
 * A gateway worker's process: its channel to the writer, and its end. It ends with the writer, however that ends.
 * Knows the process and the messages; nothing of the gateway.
 */
import { createLog } from "../log.ts";
import { Peer } from "../plugins/runner/peer.ts";
import { type GatewayProcess, openGateway } from "./gateway-process.ts";
import type { WorkerProtocol, WriterProtocol } from "./protocol.ts";

export function runWorker(): void {
  const send = process.send?.bind(process);
  let gateway: GatewayProcess | undefined;
  const running = (): GatewayProcess => {
    if (!gateway) throw new Error("the worker was not started");
    return gateway;
  };
  const writer: Peer<WorkerProtocol, WriterProtocol> = new Peer((text) => void send?.(text), {
    calls: {
      async start({ settings, routes, graph }) {
        const { logLevel, logFormat, number } = settings;
        const log = createLog(logLevel, logFormat).child({ worker: number });
        process.on("unhandledRejection", (reason) =>
          log.error({ err: reason }, "a rejected promise was left alone"),
        );
        process.on("uncaughtException", (error) => {
          log.fatal({ err: error }, "an exception was not caught");
          process.exit(1);
        });
        gateway = openGateway(settings, writer, log);
        gateway.takeRoutes(routes);
        await gateway.prepare(graph);
        gateway.take();
        gateway.open();
      },
      routes: (routes) => running().takeRoutes(routes),
      graph: (graph) => running().prepare(graph),
      take: () => running().take(),
      drained: () => running().drained(),
      counts: () => running().counts(),
      async stop() {
        await gateway?.[Symbol.asyncDispose]();
        process.exit(0);
      },
    },
    streams: {},
  });
  process.on("message", (data) => void writer.receive(data));
  process.on("disconnect", () => process.exit(0));
  // What a terminal or a supervisor sends to the whole group is for the writer, which ends this process in order.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
}
