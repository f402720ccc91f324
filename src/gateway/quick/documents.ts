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
} from "graphql";
import { LRUCache } from "lru-cache";
import type { Slices } from "../compose/slices.ts";
import { MAX_TOKENS, sizeProblem } from "../execute/document-size.ts";
import { decidersOf } from "../federation/plans.ts";
import type { Snapshot } from "../snapshot.ts";
import { compileOperation } from "./compile-operation.ts";
import type { CompiledOperation } from "./operation.ts";
import { type Reason, Uncompilable } from "./uncompilable.ts";
import { type Variables, type VariablesCheck, variablesCheck } from "./variables.ts";

/** An operation, or why it is not answered by code made for it. */
export type Ready = CompiledOperation | Reason;

/** What the documents that are kept may take in memory together, as far as that can be told from lengths. */
const MOST_BYTES = 128_000_000;
/** What was measured: of any document, of a character that is parsed and planned, of a character of code. */
const BYTES_OF_ENTRY = 500;
const BYTES_OF_CHARACTER = 150;
const BYTES_OF_CODE = 16;
/** Of one operation, by what its variables include. */
const MOST_VARIANTS = 8;
/** For another snapshot, before it is taken. */
const MOST_COMPILED_ANEW = 200;
/** Longer documents are not worth keeping their text for. */
const MOST_CHARACTERS = 50_000;

export class Documents {
  readonly #snapshot: Snapshot;
  readonly #compileAfter: number;
  readonly #kept = new LRUCache<string, KeptDocument>({
    maxSize: MOST_BYTES,
    // One that takes more is kept all the same, alone: else it would be compiled whenever it is asked.
    sizeCalculation: ({ bytes }) => Math.min(bytes, MOST_BYTES),
  });

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
      document = new KeptDocument(query);
      this.#kept.set(query, document);
    }
    document.uses += 1;
    if (document.uses <= this.#compileAfter) return "seldom asked";
    const { bytes } = document;
    const ready = document.find(this.#snapshot, operationName, variables, request);
    if (document.bytes !== bytes) {
      // The cache weighs what is new to it only.
      this.#kept.delete(query);
      this.#kept.set(query, document);
    }
    return ready;
  }

  /** An operation for which code was made before. */
  compiled(
    query: string,
    operationName: string | undefined,
    variables: Variables,
    request: string,
  ): CompiledOperation | undefined {
    return this.#kept.get(query)?.compiled(operationName, variables, request);
  }

  /**
   * The same documents for another snapshot, made ready one by one. Those whose services are all as they were need
   * nothing; of the others, the ones that were asked last are compiled anew.
   */
  *carriedTo(snapshot: Snapshot): Slices<Documents> {
    const kept: [query: string, document: KeptDocument][] = [];
    let compiled = 0;
    for (const [query, document] of [...this.#kept.entries()]) {
      if (document.holdsIn(snapshot)) kept.push([query, document]);
      else if (compiled < MOST_COMPILED_ANEW && document.uses > this.#compileAfter) {
        kept.push([query, document.compiledFor(snapshot)]);
        compiled += 1;
        yield undefined;
      }
    }
    const carried = new Documents(snapshot, this.#compileAfter);
    // The one asked last is put in last.
    for (const [query, document] of kept.reverse()) carried.#kept.set(query, document);
    return carried;
  }
}

/** An operation as it was asked: by name, and by what its variables included. */
type Operations = ReadonlyMap<string | undefined, KeptOperation>;

class KeptDocument {
  uses = 0;
  /** What it takes by now. */
  bytes: number;
  readonly #query: string;
  /** Null: the document is not valid. */
  #operations: Operations | null | undefined;

  constructor(query: string) {
    this.#query = query;
    this.bytes = BYTES_OF_ENTRY + query.length;
  }

  find(snapshot: Snapshot, operationName: string | undefined, variables: Variables, request: string): Ready {
    if (this.#operations === undefined) this.#operations = this.#prepare(snapshot);
    const operation = this.#operations?.get(operationName);
    return operation ? operation.find(snapshot, variables, request) : "document that is not valid";
  }

  compiled(
    operationName: string | undefined,
    variables: Variables,
    request: string,
  ): CompiledOperation | undefined {
    return this.#operations?.get(operationName)?.compiled(variables, request);
  }

  /** Whether all that was made of it is the same in the snapshot. */
  holdsIn(snapshot: Snapshot): boolean {
    const asked = [...(this.#operations?.values() ?? [])].filter(({ wasAsked }) => wasAsked);
    return asked.length > 0 && asked.every((operation) => operation.holdsIn(snapshot));
  }

  /** Another one, for which the same is compiled. */
  compiledFor(snapshot: Snapshot): KeptDocument {
    const document = new KeptDocument(this.#query);
    document.uses = this.uses;
    document.#operations = document.#prepare(snapshot);
    for (const [name, operation] of this.#operations ?? [])
      document.#operations?.get(name)?.compileLike(operation, snapshot);
    return document;
  }

  #prepare(snapshot: Snapshot): Operations | null {
    let document: DocumentNode;
    try {
      document = parse(this.#query, { maxTokens: MAX_TOKENS, noLocation: true });
      if (validate(snapshot.schema, document, undefined, { maxErrors: 1 }).length > 0) return null;
    } catch {
      // What is wrong with it the reference road says.
      return null;
    }
    if (sizeProblem(document) !== undefined) return null;
    this.bytes += this.#query.length * BYTES_OF_CHARACTER;
    const operations = new Map<string | undefined, KeptOperation>();
    for (const node of document.definitions) {
      if (node.kind !== Kind.OPERATION_DEFINITION) continue;
      const check = variablesCheck(snapshot.schema, node);
      const operation = new KeptOperation(document, node, check, (codeLength) => {
        this.bytes += codeLength * BYTES_OF_CODE;
      });
      operations.set(node.name?.value, operation);
      if (getOperationAST(document)) operations.set(undefined, operation);
    }
    return operations;
  }
}

interface Variant {
  /** The variables that decide, as they were. */
  readonly included: Readonly<Record<string, boolean>>;
  readonly ready: Ready;
}

class KeptOperation {
  readonly #document: DocumentNode;
  readonly #node: OperationDefinitionNode;
  readonly #check: VariablesCheck;
  readonly #deciders: readonly { name: string; otherwise: boolean }[];
  readonly #onCompiled: (codeLength: number) => void;
  readonly #variants = new Map<string, Variant>();

  constructor(
    document: DocumentNode,
    node: OperationDefinitionNode,
    check: VariablesCheck,
    onCompiled: (codeLength: number) => void,
  ) {
    this.#document = document;
    this.#node = node;
    this.#check = check;
    this.#onCompiled = onCompiled;
    this.#deciders = defaultsOf(decidersOf(document), node);
  }

  find(snapshot: Snapshot, variables: Variables, request: string): Ready {
    if (!this.#check(variables, request)) return "variables for the reference road";
    const key = this.#choice(variables);
    const known = this.#variants.get(key);
    if (known) return known.ready;
    if (this.#variants.size === MOST_VARIANTS) return "too many variables decide";
    const included: Record<string, boolean> = {};
    for (const { name, otherwise } of this.#deciders)
      included[name] = (variables[name] ?? otherwise) === true;
    return this.#compile(snapshot, key, included);
  }

  compiled(variables: Variables, request: string): CompiledOperation | undefined {
    const ready = this.#variants.get(this.#choice(variables))?.ready;
    return typeof ready === "object" && this.#check(variables, request) ? ready : undefined;
  }

  get wasAsked(): boolean {
    return this.#variants.size > 0;
  }

  holdsIn(snapshot: Snapshot): boolean {
    return [...this.#variants.values()].every(
      ({ ready }) => typeof ready !== "string" && ready.holdsIn(snapshot),
    );
  }

  compileLike(other: KeptOperation, snapshot: Snapshot): void {
    for (const [key, { included }] of other.#variants)
      if (!this.#variants.has(key)) this.#compile(snapshot, key, included);
  }

  #choice(variables: Variables): string {
    let key = "";
    for (const { name, otherwise } of this.#deciders) key += (variables[name] ?? otherwise) ? "1" : "0";
    return key;
  }

  #compile(snapshot: Snapshot, key: string, included: Variant["included"]): Ready {
    const ready = this.#ready(snapshot, included);
    this.#variants.set(key, { included, ready });
    if (typeof ready !== "string") this.#onCompiled(ready.codeLength);
    return ready;
  }

  #ready(snapshot: Snapshot, included: Variant["included"]): Ready {
    try {
      return compileOperation(snapshot, this.#document, this.#node, included);
    } catch (error) {
      if (error instanceof Uncompilable) return error.reason;
      throw error;
    }
  }
}

/** The variables that decide, with what they are where none is given. */
function defaultsOf(
  names: readonly string[],
  { variableDefinitions = [] }: OperationDefinitionNode,
): { name: string; otherwise: boolean }[] {
  return variableDefinitions.flatMap(({ variable, defaultValue }) => {
    const { value: name } = variable.name;
    const otherwise = defaultValue?.kind === Kind.BOOLEAN && defaultValue.value;
    return names.includes(name) ? [{ name, otherwise }] : [];
  });
}
