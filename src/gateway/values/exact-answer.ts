/**
 * Takes a service's answer by the types of its schema: a value of another type than the schema says becomes null with
 * an error, and a custom scalar's numbers stay as they are written.
 * Knows schemas, documents and answers; nothing of how they travel.
 */
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLSchema,
  isEnumType,
} from "graphql";
import type { ErrorCode } from "../../errors.ts";
import { type Answer, AskedFields, isObject, type Path } from "./asked-fields.ts";
import { isCustomScalar } from "./custom-scalars.ts";
import { exactLeaf } from "./exact-inputs.ts";

export interface Question {
  readonly service: string;
  readonly document: DocumentNode;
  /** Of what is asked. */
  readonly schema: GraphQLSchema;
  /** Whether that is the service's own; one that clients see may lack values of the service's enums. */
  readonly isOwnSchema: boolean;
}

/**
 * The answer to the question, its data changed in place. `exact` reads it again with its numbers as they are written
 * (undefined where that makes no difference); it is called only where the answer has a number at a place where that
 * counts. Throws a RangeError where a value is nested too deeply to be written again.
 */
export function takeAnswer(
  { service, document, schema, isOwnSchema }: Question,
  result: ExecutionResult,
  exact: () => unknown,
): ExecutionResult {
  const { data, errors = [] } = result;
  if (!data) return result;
  const asked = new AskedFields(schema, document);
  const wrong: GraphQLError[] = [];
  let mayDiffer = false;
  const refuse = (value: unknown, type: unknown, path: Path): null => {
    // An error that the service tells itself is the reason for its null.
    if (wrong.length < MOST_ERRORS && (value !== null || errors.length === 0))
      wrong.push(wrongValue(service, value, String(type), [...path]));
    return null;
  };
  asked.visit(data, data, {
    leaf(type, value, _exact, path) {
      if (isCustomScalar(type)) mayDiffer = (typeof value !== "string" && holdsNumber(value)) || mayDiffer;
      else if (!fits(type, value, isOwnSchema)) return refuse(value, type, path);
      else if (type.name === "ID") mayDiffer = isLargeId(value) || mayDiffer;
      return value;
    },
    misshapen: (type, value, path) => refuse(value, type, path),
  });
  const again = mayDiffer ? (exact() as { data?: Answer } | undefined) : undefined;
  if (isObject(again?.data)) asked.visit(data, again.data, { leaf: exactLeaf, misshapen: () => null });
  return wrong.length > 0 ? { ...result, errors: [...errors, ...wrong] } : result;
}

/** Of one answer: a long list may be wrong throughout. */
const MOST_ERRORS = 100;

function wrongValue(service: string, value: unknown, type: string, path: Path): GraphQLError {
  const what = described(value);
  const message = `${service} answered ${what} where its schema has ${type}.`;
  const code: ErrorCode = "INVALID_SERVICE_RESPONSE";
  return new GraphQLError(message, { path, extensions: { code, service } });
}

function described(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text that is none";
  if (!isObject(value) || value.__typename === undefined) return `a value of type ${typeof value}`;
  return `an object of type ${String(value.__typename).slice(0, MOST_NAME)}`;
}

/** Of a type's name that is told; services name what they like. */
const MOST_NAME = 100;

const MOST_INT = 2 ** 31;

function fits(type: GraphQLLeafType, value: unknown, isOwnSchema: boolean): boolean {
  if (isEnumType(type)) return typeof value === "string" && (!isOwnSchema || type.getValue(value) != null);
  switch (type.name) {
    case "Int":
      return Number.isInteger(value) && Number(value) < MOST_INT && Number(value) >= -MOST_INT;
    case "Float":
      return Number.isFinite(value);
    case "Boolean":
      return typeof value === "boolean";
    case "ID":
      return typeof value === "string" || Number.isInteger(value);
    default:
      return typeof value === "string";
  }
}

/** Deeper than any real value, and far less than what no JSON writer takes. */
const MOST_LEVELS = 500;

/** Throws a RangeError where the value is nested too deeply to be written again. */
function holdsNumber(value: unknown, level = 0): boolean {
  if (typeof value !== "object" || value === null) return typeof value === "number";
  if (level === MOST_LEVELS) throw new RangeError(`nested more than ${MOST_LEVELS} levels deep`);
  let holds = false;
  for (const member of Object.values(value)) holds = holdsNumber(member, level + 1) || holds;
  return holds;
}

/** Ids that are numbers come as texts in the end, of however many digits. */
function isLargeId(value: unknown): boolean {
  return typeof value === "number" && !Number.isSafeInteger(value);
}
