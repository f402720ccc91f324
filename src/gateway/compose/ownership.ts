/**
 * Who has what in a graph that is being put together, and who collides with it.
 * Pure. Knows the rules for root fields and for types of one name; nothing of versions or of stitching.
 */
import type { ErrorCode, Place } from "../../errors.ts";
import type { Subgraph } from "../subgraph/subgraph.ts";

/** Why a service, or its newest schema, is left out. */
export interface Reason extends Partial<Place> {
  readonly code: ErrorCode;
  readonly message: string;
  /** What was being done with a plugin. */
  readonly step?: string;
}

export interface Collision {
  readonly reason: Reason;
  /** Who has what is asked for; absent where the graph itself does. */
  readonly owner?: Subgraph;
}

export class Ownership {
  readonly subgraphs: Subgraph[] = [];
  /** What somebody may collide about: to count all that a graph has would take longer than to compose a change of it. */
  readonly #contested = new Set<string>();
  readonly #fields = new Map<string, Subgraph>();
  /** Type → the first of those whose versions of it are alike, for each version. */
  readonly #types = new Map<string, Subgraph[]>();
  readonly #canonical = new Map<string, Subgraph>();

  /** `newcomers`: those whose collisions are asked for. */
  constructor(newcomers: Iterable<Subgraph>) {
    for (const { rootFields, canonical, types } of newcomers) {
      for (const name of rootFields) this.#contested.add(name);
      for (const name of canonical) this.#contested.add(name);
      for (const name of types.keys()) this.#contested.add(name);
    }
  }

  add(subgraph: Subgraph): void {
    this.subgraphs.push(subgraph);
    for (const field of subgraph.rootFields)
      if (this.#contested.has(field)) this.#fields.set(field, subgraph);
    for (const name of subgraph.canonical) if (this.#contested.has(name)) this.#canonical.set(name, subgraph);
    for (const type of subgraph.types.keys()) {
      if (!this.#contested.has(type)) continue;
      const versions = this.#types.get(type);
      if (!versions) this.#types.set(type, [subgraph]);
      else if (!versions.some((owner) => isAlike(owner, subgraph, type))) versions.push(subgraph);
    }
  }

  collision(subgraph: Subgraph): Collision | undefined {
    for (const field of subgraph.rootFields) {
      const owner = this.#fields.get(field);
      if (owner && !areFederated(owner, subgraph))
        return { owner, reason: fieldTaken(field, owner.name, subgraph) };
    }
    for (const type of subgraph.types.keys()) {
      for (const owner of this.#types.get(type) ?? []) {
        if (areFederated(owner, subgraph)) continue;
        const reason = typeConflict(type, owner, subgraph);
        if (reason) return { owner, reason };
      }
      if (ROOT_TYPES.has(type)) return { reason: rootTypeName(type, subgraph.name) };
    }
    for (const name of subgraph.canonical) {
      const owner = this.#canonical.get(name);
      if (owner) return { owner, reason: canonicalTaken(name, owner.name, subgraph.name) };
    }
    return undefined;
  }
}

/** Why `later` does not fit beside `owner` alone. */
export function collisionOf(later: Subgraph, owner: Subgraph): Reason | undefined {
  const graph = new Ownership([later]);
  graph.add(owner);
  return graph.collision(later)?.reason;
}

const ROOT_TYPES = new Set(["Query", "Mutation", "Subscription"]);

/** Among themselves they share fields and types by the federation's rules, which composing them sees to. */
function areFederated(a: Subgraph, b: Subgraph): boolean {
  return a.document !== undefined && b.document !== undefined;
}

/** Whether what collides with the one's version of the type collides with the other's. */
function isAlike(a: Subgraph, b: Subgraph, type: string): boolean {
  return isIdentical(a, b, type) && a.mergeable.has(type) === b.mergeable.has(type);
}

function isIdentical(a: Subgraph, b: Subgraph, type: string): boolean {
  const [one, other] = [a.types.get(type), b.types.get(type)];
  return one?.kind === other?.kind && one?.text === other?.text;
}

/** Two services' types of one name merge when they are identical, or when one of the two can be asked for it by key. */
function typeConflict(type: string, owner: Subgraph, later: Subgraph): Reason | undefined {
  if (isIdentical(owner, later, type)) return undefined;
  const [first, second] = [owner.types.get(type), later.types.get(type)];
  const isMergeable = owner.mergeable.has(type) || later.mergeable.has(type);
  if (!isMergeable || !first?.fields || !second?.fields || first.kind !== second.kind) {
    return typeDiffers(type, owner.name, later);
  }
  for (const [field, text] of second.fields) {
    const other = first.fields.get(field);
    if (other !== undefined && other !== text) {
      return fieldDiffers(`${type}.${field}`, [owner.name, other], [later.name, text]);
    }
  }
  return undefined;
}

/** A federated service has no namespace: its types are the other federated services' too. */
function renaming(later: Subgraph): string {
  return later.document
    ? "rename it"
    : `rename it (root fields by metadata.gateway.rename), or give ${later.name} a namespace (metadata.gateway.namespace)`;
}

function fieldTaken(field: string, owner: string, later: Subgraph): Reason {
  const message = `${field} of ${later.name} belongs to ${owner}, which registered it first: ${renaming(later)}.`;
  return { code: "ROOT_FIELD_TAKEN", message };
}

function typeDiffers(type: string, owner: string, later: Subgraph): Reason {
  const message = `The type ${type} of ${later.name} differs from the one of ${owner}: make them identical, declare how one of them is fetched by its key (@key and @merge, or metadata.gateway.merge), ${later.document ? "or " : ""}${renaming(later)}.`;
  return { code: "TYPE_CONFLICT", message };
}

function fieldDiffers(
  field: string,
  [owner, first]: [string, string],
  [later, second]: [string, string],
): Reason {
  const message = `${field}${second} of ${later} differs from ${field}${first} of ${owner}: a field that merged types share has the same type and arguments in both. Make them identical, or rename one.`;
  return { code: "TYPE_CONFLICT", message };
}

function canonicalTaken(name: string, owner: string, later: string): Reason {
  const message = `${name} is @canonical in ${later}, but in ${owner} too: one service only can say so.`;
  return { code: "TYPE_CONFLICT", message };
}

function rootTypeName(type: string, service: string): Reason {
  const message = `${type} is the name of a root type of the graph, but ${service} has another type of this name: rename it.`;
  return { code: "TYPE_CONFLICT", message };
}
