/**
 * How an operation over federated subgraphs is answered: which requests, in which order, and where their answers go.
 * Plain data: nothing in it runs, and no schema is in it.
 */
import type { ArgumentNode, DocumentNode, OperationTypeNode, TypeNode } from "graphql";

/** What is asked of objects in one subgraph. */
export interface Selection {
  /** The type in the subgraph. */
  readonly type: string;
  /** Whether the subgraph is asked which type each object is of. */
  readonly isAbstract: boolean;
  /** The type of the objects where it is known; to a subgraph with an interface's object type it is not. */
  readonly typename: string | undefined;
  /** Type condition → what is asked under it, by the name in the upstream answer. */
  readonly branches: Map<string, Map<string, Selected>>;
}

export interface Selected {
  /** The name in the upstream answer; another than `key` where types would disagree about it. */
  readonly alias: string;
  /** The name in the object that answers are gathered in. */
  readonly key: string;
  readonly name: string;
  readonly args: readonly ArgumentNode[];
  readonly type: TypeNode;
  readonly selection: Selection | undefined;
}

/** One step to a position in the answer. */
export interface Segment {
  /** The type of the objects that the step is made from. */
  readonly type: string;
  readonly key: string;
}

/** How a part of an entity's representation is read from what was gathered. */
export interface RepresentationField {
  readonly name: string;
  readonly key: string;
  /** The types of objects that have it; undefined: all. */
  readonly types: readonly string[] | undefined;
  readonly below: readonly RepresentationField[] | undefined;
  /** Whether the objects below say their type. */
  readonly withTypename: boolean;
}

/** One part of a request: root fields, or entities of one type at one position. */
export interface Fetch {
  readonly graph: string;
  readonly selection: Selection;
  /** Absent for root fields. */
  readonly entity: EntityFetch | undefined;
}

/** A root field that serves entities, where a subgraph is not asked by `_entities`. */
export interface EntityField {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: TypeNode }[];
}

export interface EntityFetch {
  /** The type that the representations name. */
  readonly typename: string;
  readonly path: readonly Segment[];
  /** The type of the objects at the position. */
  readonly type: string;
  readonly fields: readonly RepresentationField[];
  /** The key's text, and the names at its top. */
  readonly key: string;
  readonly keyNames: readonly string[];
  /** Undefined: `_entities`. */
  readonly field: EntityField | undefined;
  /**
   * The root field's name in the request, and the variable of the representations. Parts that ask the same of entities
   * may have one in common.
   */
  readonly alias: string;
}

/** One upstream request. */
export interface Call {
  readonly graph: string;
  readonly operation: OperationTypeNode;
  readonly document: DocumentNode;
  readonly fetches: readonly Fetch[];
  /** The client's variables that it needs. */
  readonly variables: readonly string[];
  /** Positions in the plan's calls of those that come before. */
  readonly after: readonly number[];
}

export interface Plan {
  readonly calls: readonly Call[];
}
