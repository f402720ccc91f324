/**
 * What the writer, which is bobbin's first process, and its gateway workers ask of each other. Texts and plain data
 * only; nothing of how either end does it.
 */
import type { ExecutionResult } from "@graphql-tools/utils";
import type { ErrorCode } from "../errors.ts";
import type { RoadCounts } from "../gateway/quick/quick-road.ts";
import type { Reason } from "../gateway/quick/uncompilable.ts";
import type { Route } from "../gateway/remote/route.ts";
import type { SubgraphSource } from "../gateway/subgraph/subgraph.ts";
import type { LogFormat, LogLevel } from "../log.ts";
import type { Peer } from "../plugins/runner/peer.ts";
import type { HttpPart, HttpRequest } from "../plugins/runner/protocol.ts";

/** The argument with which bobbin runs a gateway worker. */
export const WORKER_COMMAND = "run-gateway-worker";

/** What a worker has to know of the configuration. */
export interface Settings {
  /** The writer is the first. */
  readonly number: number;
  readonly host: string;
  readonly port: number;
  readonly doorHeader: string;
  readonly jwtSecret: string | undefined;
  readonly corsOrigins: readonly string[] | undefined;
  readonly bodyLimitBytes: number;
  /** Null: never. */
  readonly compileAfter: number | null;
  readonly isProduction: boolean;
  readonly isProxied: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Where a service's requests go, or why nowhere; null: the service is gone. */
export interface RouteNews {
  readonly service: string;
  readonly route: Route | { readonly code: ErrorCode; readonly message: string } | null;
}

/** How a service is reached: at its URL, or through the writer; CODE: its requests can be sent as texts. */
export type Reach = "URL" | "CORE" | "CODE";

export interface SentSubgraph {
  readonly source: SubgraphSource;
  readonly reach: Reach;
}

/** A snapshot, as far as it differs from the one before it. */
export interface GraphNews {
  readonly revision: number;
  /** All services that it is composed of, in order, with their schemas' hashes. */
  readonly order: readonly { readonly name: string; readonly hash: string }[];
  /** Those that the worker does not have. */
  readonly subgraphs: readonly SentSubgraph[];
  /** The federated services composed, as texts of definitions; absent where that is as it was. */
  readonly supergraph?: { readonly supergraph: readonly string[]; readonly open: readonly string[] };
}

/** Who asks, for services of the writer. */
export interface Caller {
  readonly request: Pick<HttpRequest, "method" | "url" | "headers"> | null;
  readonly hops: number;
  readonly writeToken: string | undefined;
}

/** A question to a service of the writer, of the schema that the worker's graph has of it. */
export interface LocalQuestion {
  readonly service: string;
  readonly hash: string;
  /** As it would be sent over HTTP. */
  readonly body: string;
  readonly caller: Caller;
}

export interface Counts extends Omit<RoadCounts, "reference"> {
  readonly reference: readonly (readonly [Reason, number])[];
}

/** The answer of a call whose end alone counts. */
type Nothing = ReturnType<() => void>;

export type WorkerProtocol = {
  calls: {
    /** Resolves when its door is open. */
    start: [{ settings: Settings; routes: readonly RouteNews[]; graph: GraphNews }, Nothing];
    routes: [readonly RouteNews[], Nothing];
    /** Resolves when it is ready to be taken. */
    graph: [GraphNews, Nothing];
    /** Requests begin with what is ready from now on: all processes take it within a message's time. */
    take: [undefined, Nothing];
    /** Resolves when every request that runs now has ended. */
    drained: [undefined, Nothing];
    counts: [undefined, Counts];
    /** Closes its door in order, and ends. */
    stop: [undefined, Nothing];
  };
  streams: Record<never, never>;
};

export type WriterProtocol = {
  calls: {
    ask: [LocalQuestion, ExecutionResult];
    /** An instance did not answer as it should. */
    hint: [{ service: string; origin: string }, Nothing];
  };
  streams: {
    subscribe: [LocalQuestion, ExecutionResult];
    /** What is no question to the graph. */
    fetch: [HttpRequest, HttpPart];
  };
};

/** The writer as a worker sees it, and a worker as the writer does. */
export type Writer = Pick<Peer<WorkerProtocol, WriterProtocol>, "call" | "stream">;
export type WorkerPeer = Peer<WriterProtocol, WorkerProtocol>;
