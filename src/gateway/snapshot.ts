/**
 * One composed schema: immutable, replaced whole. Knows nothing of how it was made or who reads it.
 */
import type { GraphQLSchema, OperationTypeNode } from "graphql";
import type { Composition, Reason } from "./compose/compose.ts";
import { type Island, makeIsland } from "./compose/island.ts";
import type { Group } from "./federation/group.ts";
import { rootName } from "./subgraph/reshape.ts";
import { sdlOf } from "./subgraph/schema-text.ts";
import type { Subgraph } from "./subgraph/subgraph.ts";

export class Snapshot {
  /** The registry's revision that it reflects. */
  readonly revision: number;
  readonly schema: GraphQLSchema;
  readonly subgraphs: ReadonlyMap<string, Subgraph>;
  /** Service → why its newest schema is left out. */
  readonly rejected: ReadonlyMap<string, Reason>;
  #sdl: string | undefined;

  readonly #composition: Composition;
  /** `Query.field` → who executes it. */
  readonly #islands = new Map<string, Island>();
  #whole: Island | undefined;

  constructor(revision: number, composition: Composition) {
    const { schema, islands, subgraphs, rejected } = composition;
    this.revision = revision;
    this.schema = schema;
    this.subgraphs = new Map(subgraphs.map((subgraph) => [subgraph.name, subgraph]));
    this.rejected = rejected;
    this.#composition = composition;
    for (const island of islands) for (const field of island.rootFields) this.#islands.set(field, island);
  }

  get islands(): readonly Island[] {
    return this.#composition.islands;
  }

  /** The federated services, as one. */
  get group(): Group | undefined {
    return this.#composition.group;
  }

  /** The island that has the root field. */
  islandOf(operation: OperationTypeNode, field: string): Island | undefined {
    return this.#islands.get(`${rootName(operation)}.${field}`);
  }

  /** Everything as one island: for what leads from one to another. Made when it is first needed. */
  get whole(): Island {
    const { subgraphs, group } = this.#composition;
    const [members, others] = [subgraphs.filter(isFederated), subgraphs.filter((each) => !isFederated(each))];
    this.#whole ??= makeIsland({ subgraphs: others, group }, members);
    return this.#whole;
  }

  /** The composed SDL; printed when first asked for. */
  get sdl(): string {
    this.#sdl ??= `${sdlOf(this.schema)}\n`;
    return this.#sdl;
  }
}

function isFederated({ document }: Subgraph): boolean {
  return document !== undefined;
}
