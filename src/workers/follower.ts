/**
 * The graph in a worker: composed of the same parts in the same order as the writer's, and replaced when that is.
 * Decides nothing: which schemas there are, and what the federated ones compose to, the writer says.
 */
import type { Executor } from "@graphql-tools/utils";
import { BobbinError } from "../errors.ts";
import { composeSafely } from "../gateway/compose/compose-safely.ts";
import { compositionMemory } from "../gateway/compose/memory.ts";
import { inSlices, type Slices } from "../gateway/compose/slices.ts";
import { Definitions } from "../gateway/federation/definitions.ts";
import type { Composed } from "../gateway/federation/group.ts";
import type { Route } from "../gateway/remote/route.ts";
import { Snapshot } from "../gateway/snapshot.ts";
import { buildSubgraph, type Subgraph } from "../gateway/subgraph/subgraph.ts";
import type { GraphNews, RouteNews, SentSubgraph } from "./protocol.ts";

export interface FollowerOptions {
  readonly remoteExecutor: (name: string) => Executor;
  /** Of a service of the writer, with the schema of this hash. */
  readonly localExecutor: (name: string, hash: string, reach: SentSubgraph["reach"]) => Executor;
  /** There will be another snapshot: what is to be ready for it. */
  readonly warm: (next: Snapshot) => Slices<void>;
}

export class Follower {
  readonly #options: FollowerOptions;
  readonly #routes = new Map<string, Route | BobbinError>();
  readonly #definitions = new Definitions();
  readonly #memory = compositionMemory({
    compose: async () => this.#supergraph(),
    isAllowed: () => true,
  });
  #composed: Composed | undefined;
  /** Of services at URLs: what is under way there stays counted when a schema changes. */
  #remote = new Map<string, Executor>();
  #subgraphs = new Map<string, Subgraph>();
  #next: Snapshot | undefined;
  #snapshot: Snapshot | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** The schema that requests begin with from now on. */
  get snapshot(): Snapshot {
    if (!this.#snapshot) throw new Error("the writer has not told of a graph");
    return this.#snapshot;
  }

  route(service: string): Route | BobbinError {
    const route = this.#routes.get(service);
    return route ?? new BobbinError("SERVICE_UNAVAILABLE", `${service} is not registered any more.`);
  }

  takeRoutes(news: readonly RouteNews[]): void {
    for (const { service, route } of news) {
      if (route) {
        this.#routes.set(service, "code" in route ? new BobbinError(route.code, route.message) : route);
      } else {
        this.#routes.delete(service);
        this.#remote.delete(service);
      }
    }
  }

  /** Resolves when it can be taken. One at a time. */
  async prepare({ revision, order, subgraphs, supergraph }: GraphNews): Promise<void> {
    if (supergraph) this.#composed = this.#definitions.documents(supergraph);
    this.#subgraphs = this.#partsOf(order, subgraphs);
    const parts = [...this.#subgraphs.values()];
    const always = () => true;
    const done = await inSlices(composeSafely(undefined, parts, [], always, this.#memory), always);
    if (!done) return;
    const next = new Snapshot(revision, done.value);
    await inSlices(this.#options.warm(next), always);
    this.#memory.settle();
    if (next.subgraphs.size !== order.length) throw new Error("the graph is not composed as the writer's is");
    this.#next = next;
  }

  /** Requests begin with what is ready from now on. */
  take(): void {
    this.#snapshot = this.#next;
  }

  #partsOf(order: GraphNews["order"], sent: readonly SentSubgraph[]): Map<string, Subgraph> {
    const built = new Map(sent.map((each) => [each.source.name, each]));
    return new Map(
      order.map(({ name, hash }) => {
        const news = built.get(name);
        const known = this.#subgraphs.get(name);
        if (news) return [name, buildSubgraph(news.source, this.#executor(name, hash, news.reach))] as const;
        if (known?.hash === hash) return [name, known] as const;
        throw new Error(`the schema of ${name} is not known`);
      }),
    );
  }

  #executor(name: string, hash: string, reach: SentSubgraph["reach"]): Executor {
    if (reach !== "URL") return this.#options.localExecutor(name, hash, reach);
    const executor = this.#remote.get(name) ?? this.#options.remoteExecutor(name);
    this.#remote.set(name, executor);
    return executor;
  }

  #supergraph(): Composed {
    if (this.#composed) return this.#composed;
    throw new Error("the writer has not told what the federated services compose to");
  }
}
