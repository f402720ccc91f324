/**
 * One composed schema: immutable, replaced whole. Knows nothing of how it was made or who reads it.
 */
import { type GraphQLSchema, printSchema } from "graphql";
import type { Composition, Reason } from "./compose.ts";
import type { Group } from "./federation/group.ts";
import type { Subgraph } from "./subgraph.ts";

export class Snapshot {
  /** The registry's revision that it reflects. */
  readonly revision: number;
  readonly schema: GraphQLSchema;
  /** The federated services, as one. */
  readonly group: Group | undefined;
  readonly subgraphs: ReadonlyMap<string, Subgraph>;
  /** Service → why its newest schema is left out. */
  readonly rejected: ReadonlyMap<string, Reason>;
  #sdl: string | undefined;

  constructor(revision: number, { schema, group, subgraphs, rejected }: Composition) {
    this.revision = revision;
    this.schema = schema;
    this.group = group;
    this.subgraphs = new Map(subgraphs.map((subgraph) => [subgraph.name, subgraph]));
    this.rejected = rejected;
  }

  /** The composed SDL; printed when first asked for. */
  get sdl(): string {
    this.#sdl ??= `${printSchema(this.schema)}\n`;
    return this.#sdl;
  }
}
