/**
 * The documents that clients ask with, each parsed, checked and made ready once for a snapshot.
 * Knows snapshots and documents; nothing of HTTP.
 */
import {
  type DocumentNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  validate,
  visit,
} from "graphql";
import { LRUCache } from "lru-cache";
import { MAX_TOKENS, sizeProblem } from "../execute/document-size.ts";
import type { Snapshot } from "../snapshot.ts";
import { type CompiledOperation, compileOperation } from "./operation.ts";
import { Uncompilable } from "./uncompilable.ts";
import { type Variables, type VariablesCheck, variablesCheck } from "./variables.ts";

/** An operation, or why it is not answered by code made for it. */
export type Ready = CompiledOperation | string;

/** A compiled operation takes about a hundred kilobytes. */
const MOST_DOCUMENTS = 1_000;
/** Of one operation, by what its variables include. */
const MOST_VARIANTS = 16;
/** Longer documents are not worth keeping their text for. */
const MOST_CHARACTERS = 50_000;

export class Documents {
  readonly #snapshot: Snapshot;
  readonly #compileAfter: number;
  readonly #kept = new LRUCache<string, KeptDocument>({ max: MOST_DOCUMENTS });

  /** `compileAfter`: how many times a document is asked before code is made for it. */
  constructor(snapshot: Snapshot, compileAfter: number) {
    this.#snapshot = snapshot;
    this.#compileAfter = compileAfter;
  }

  /** `request`: the text that the variables were parsed from. */
  find(query: string, operationName: string | undefined, variables: Variables, request: string): Ready {
    if (query.length > MOST_CHARACTERS) return "document too long";
    let document = this.#kept.get(query);
    if (!document) {
      document = new KeptDocument(this.#snapshot, query);
      this.#kept.set(query, document);
    }
    document.uses += 1;
    if (document.uses <= this.#compileAfter) return "seldom asked";
    return document.find(operationName, variables, request);
  }
}

class KeptDocument {
  uses = 0;
  readonly #snapshot: Snapshot;
  readonly #query: string;
  /** By name; null: the document is not valid. */
  #operations: Map<string | undefined, KeptOperation> | null | undefined;

  constructor(snapshot: Snapshot, query: string) {
    this.#snapshot = snapshot;
    this.#query = query;
  }

  find(operationName: string | undefined, variables: Variables, request: string): Ready {
    if (this.#operations === undefined) this.#operations = this.#prepare();
    const operation = this.#operations?.get(operationName);
    return operation ? operation.find(variables, request) : "document that is not valid";
  }

  #prepare(): Map<string | undefined, KeptOperation> | null {
    let document: DocumentNode;
    try {
      document = parse(this.#query, { maxTokens: MAX_TOKENS, noLocation: true });
      if (validate(this.#snapshot.schema, document, undefined, { maxErrors: 1 }).length > 0) return null;
    } catch {
      // What is wrong with it the reference road says.
      return null;
    }
    if (sizeProblem(document) !== undefined) return null;
    const operations = new Map<string | undefined, KeptOperation>();
    for (const node of document.definitions) {
      if (node.kind !== Kind.OPERATION_DEFINITION) continue;
      const operation = new KeptOperation(this.#snapshot, document, node);
      operations.set(node.name?.value, operation);
      if (getOperationAST(document)) operations.set(undefined, operation);
    }
    return operations;
  }
}

class KeptOperation {
  readonly #snapshot: Snapshot;
  readonly #document: DocumentNode;
  readonly #node: OperationDefinitionNode;
  readonly #check: VariablesCheck;
  readonly #deciders: readonly { name: string; otherwise: boolean }[];
  readonly #variants = new Map<string, Ready>();

  constructor(snapshot: Snapshot, document: DocumentNode, node: OperationDefinitionNode) {
    this.#snapshot = snapshot;
    this.#document = document;
    this.#node = node;
    this.#check = variablesCheck(snapshot.schema, node);
    this.#deciders = decidersOf(document, node);
  }

  find(variables: Variables, request: string): Ready {
    if (!this.#check(variables, request)) return "variables for the reference road";
    const key = this.#deciders.length === 0 ? "" : this.#choice(variables);
    const known = this.#variants.get(key);
    if (known !== undefined) return known;
    if (this.#variants.size === MOST_VARIANTS) return "too many variables decide";
    const ready = this.#compile(variables);
    this.#variants.set(key, ready);
    return ready;
  }

  #choice(variables: Variables): string {
    let key = "";
    for (const { name, otherwise } of this.#deciders) key += (variables[name] ?? otherwise) ? "1" : "0";
    return key;
  }

  #compile(variables: Variables): Ready {
    const included: Record<string, boolean> = {};
    for (const { name, otherwise } of this.#deciders)
      included[name] = (variables[name] ?? otherwise) === true;
    try {
      return compileOperation(this.#snapshot, this.#document, this.#node, included);
    } catch (error) {
      if (error instanceof Uncompilable) return error.reason;
      throw error;
    }
  }
}

/** The variables that decide by @skip and @include, with what they are where none is given. */
function decidersOf(
  document: DocumentNode,
  { variableDefinitions = [] }: OperationDefinitionNode,
): { name: string; otherwise: boolean }[] {
  const names = new Set<string>();
  visit(document, {
    Directive({ name, arguments: [argument] = [] }) {
      const decides = name.value === "skip" || name.value === "include";
      if (decides && argument?.value.kind === Kind.VARIABLE) names.add(argument.value.name.value);
    },
  });
  return variableDefinitions.flatMap(({ variable, defaultValue }) => {
    const { value: name } = variable.name;
    const otherwise = defaultValue?.kind === Kind.BOOLEAN && defaultValue.value;
    return names.has(name) ? [{ name, otherwise }] : [];
  });
}
