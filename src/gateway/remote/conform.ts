/**
 * Holds a service's answer against what was asked: stitching takes answers apart by their keys and trusts them.
 * Pure. Knows GraphQL documents and answers; nothing of how they travel.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { BobbinError } from "../../errors.ts";

/** The answer with every error naming `service`. Throws INVALID_SERVICE_RESPONSE where it answers something else. */
export function conform(service: string, document: DocumentNode, result: ExecutionResult): ExecutionResult {
  const asked = new Asked(document);
  const data: Answer = result.data ?? {};
  const foreign = Object.keys(data).find((key) => !asked.root.has(key));
  if (foreign !== undefined) throw invalid(service, `${foreign}, which was not asked for`);
  asked.checkFields(asked.root, data, (key) => {
    throw invalid(service, `${key} with a value that has no fields`);
  });
  if (!result.errors) return result;
  return { ...result, errors: result.errors.map((error) => signed(service, error, asked.root)) };
}

function invalid(service: string, what: string): BobbinError {
  return new BobbinError("INVALID_SERVICE_RESPONSE", `${service} answered ${what}.`);
}

type AnyError = Pick<GraphQLError, "message" | "path" | "extensions">;

/** An error whose path leads nowhere in the answer counts for all of it, as one without a path does. */
function signed(service: string, error: AnyError, keys: Fields): GraphQLError {
  const { message, path, extensions } = error;
  const known = Array.isArray(path) && keys.has(path[0]) && path.every(isPathKey);
  const own = typeof extensions === "object" && !Array.isArray(extensions) ? extensions : {};
  return new GraphQLError(message, { path: known ? path : null, extensions: { ...own, service } });
}

/** Stitching follows paths into what was answered, and must not get beyond it. */
function isPathKey(key: unknown): boolean {
  return typeof key === "number" ? Number.isSafeInteger(key) : typeof key === "string" && !INHERITED.has(key);
}

const INHERITED = new Set(["__proto__", "constructor", "prototype"]);

type Answer = Record<string, unknown>;

/** What is asked of one object: the names of its answer, each with what is asked below it. */
type Fields = ReadonlyMap<string, readonly SelectionSetNode[]>;

/** What an operation asks for; what lies deeper is worked out where there is an answer for it. */
class Asked {
  readonly root: Fields;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();

  constructor({ definitions }: DocumentNode) {
    for (const node of definitions)
      if (node.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(node.name.value, node);
    const operations = definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
    this.root = this.#fieldsOf(operations.map(({ selectionSet }) => selectionSet));
  }

  /** Calls `onWrong` with each name that is answered by a plain value, though fields are asked of it. */
  checkFields(fields: Fields, answer: Answer, onWrong: (key: string) => void): void {
    for (const [key, below] of fields) {
      // A name may be one that every object inherits.
      const value = Object.hasOwn(answer, key) ? answer[key] : undefined;
      if (below.length === 0 || value === null || value === undefined) continue;
      let deeper: Fields | undefined;
      const check = (each: unknown): void => {
        if (each === null) return;
        if (typeof each !== "object") onWrong(key);
        else if (Array.isArray(each)) for (const item of each) check(item);
        else {
          deeper ??= this.#fieldsOf(below);
          this.checkFields(deeper, each as Answer, onWrong);
        }
      };
      check(value);
    }
  }

  #fieldsOf(sets: readonly SelectionSetNode[]): Fields {
    const fields = new Map<string, SelectionSetNode[]>();
    const spread = new Set<string>();
    const collect = (set: SelectionSetNode | undefined) => {
      for (const node of set?.selections ?? []) {
        if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet);
        else if (node.kind === Kind.FRAGMENT_SPREAD) {
          // Once is enough: fragments that name each other twice would otherwise double the work at each step.
          if (spread.has(node.name.value)) continue;
          spread.add(node.name.value);
          collect(this.#fragments.get(node.name.value)?.selectionSet);
        } else {
          const key = (node.alias ?? node.name).value;
          const below = fields.get(key) ?? [];
          if (node.selectionSet) below.push(node.selectionSet);
          fields.set(key, below);
        }
      }
    };
    for (const set of sets) collect(set);
    return fields;
  }
}
