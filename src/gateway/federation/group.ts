/**
 * Federated services as one: composed by the federation's rules, and executed as one subgraph among the others.
 * Knows a supergraph and who executes its parts; nothing of registrations or of the rest of the graph.
 */
import type { Executor } from "@graphql-tools/utils";
import type { DocumentNode, GraphQLSchema } from "graphql";
import { type FederationOptions, federationExecutor } from "./executor.ts";
import { entitySchema, executableSchema, shownSchema, wholeSchema } from "./schemas.ts";
import { Supergraph } from "./supergraph.ts";

export interface Member {
  readonly name: string;
  readonly sdl: string;
  readonly document: DocumentNode;
  readonly executor: Executor;
}

/** What composing gives, as documents. */
export interface Composed {
  readonly supergraph: DocumentNode;
  /** The supergraph without what is not for clients. */
  readonly open: DocumentNode;
}

/** What is not needed at once is made when it is needed first, or prepared: requests are served in between. */
export class Group {
  /** What it was made of. */
  readonly composed: Composed;
  /** What clients see. */
  readonly shown: GraphQLSchema;
  /** Executes what clients see, and asks for entities by their keys. */
  readonly executor: Executor;
  /** What that works with. */
  readonly execution: FederationOptions;
  #supergraph: Supergraph | undefined;
  #withEntities: GraphQLSchema | undefined;
  #executable: GraphQLSchema | undefined;
  #asked: GraphQLSchema | undefined;

  constructor(composed: Composed, members: readonly Member[]) {
    this.composed = composed;
    this.shown = shownSchema(composed.open);
    const executors = new Map(members.map(({ name, executor }) => [name, executor]));
    this.execution = {
      supergraph: () => this.supergraph,
      schema: () => this.#executableSchema,
      asked: () => this.#askedSchema,
      executor: (graph) => {
        const found = executors.get(this.supergraph.graphs.get(graph) ?? "");
        if (!found) throw new Error(`no member of the supergraph is ${graph}`);
        return found;
      },
    };
    this.executor = federationExecutor(this.execution);
  }

  /** What the first request would wait for, each a slice of work for itself. */
  get preparations(): readonly (() => unknown)[] {
    return [() => this.supergraph, () => this.#executableSchema, () => this.#askedSchema];
  }

  get supergraph(): Supergraph {
    this.#supergraph ??= new Supergraph(this.composed.supergraph);
    return this.#supergraph;
  }

  /** What clients see, and a way to ask for entities by their keys. */
  get withEntities(): GraphQLSchema {
    this.#withEntities ??= entitySchema(this.shown, this.supergraph);
    return this.#withEntities;
  }

  get #executableSchema(): GraphQLSchema {
    this.#executable ??= executableSchema(this.withEntities);
    return this.#executable;
  }

  /** What subgraphs are asked for. */
  get #askedSchema(): GraphQLSchema {
    this.#asked ??= wholeSchema(this.composed.supergraph, this.supergraph) ?? this.#executableSchema;
    return this.#asked;
  }
}
