/**
 * The code that carries a plan's answers from one request to the next and to the client, made once for the plan: one
 * that goes on with the text of the answers, and one that parses them, for what the first does not expect.
 * Knows how code is made and run; nothing of requests.
 */
import type { GraphQLSchema } from "graphql";
import type { Plan } from "../federation/plan.ts";
import { answerFunction } from "./answering.ts";
import { Code, literal } from "./code.ts";
import { collectFunction, type EntitySet, type Keys, takeFunction } from "./collecting.ts";
import { safeText, tokenText, unescaped, valueText } from "./key-texts.ts";
import { leave } from "./left.ts";
import { type Entry, type Layout, layout } from "./places.ts";
import { readFunction } from "./reading.ts";
import { RecordForms, Unreadable } from "./record-forms.ts";
import { SCANNERS } from "./scanning.ts";
import type { Shape } from "./shape.ts";
import { weaveFunction } from "./weaving.ts";

/** What one request has gathered so far. */
export type State = object;

/** Each may throw LEFT. */
export interface Program<Answer> {
  begin(): State;
  /** Of each call, of each of its sets of entities: the texts of the representations. */
  readonly collect: readonly (readonly ((state: State) => string)[])[];
  /** Of each call: takes the answer's data, or the records of it. */
  readonly take: readonly ((state: State, data: object) => void)[];
  /** The answer. */
  answer(state: State): Answer;
}

/** Of texts that are bytes as Latin-1, as is the answer's. */
export interface TextProgram extends Program<string> {
  /** Of each call, from an answer's text to its records. */
  readonly read: readonly ((text: string) => object)[];
  /** Whether the only answer goes to the client as it is, once it is read. */
  readonly isWhole: boolean;
}

export interface Programs {
  /** Undefined where answers cannot be read as text. */
  readonly texts: TextProgram | undefined;
  /** Gives the answer's data. Made when it is first needed, which it seldom is. Throws Uncompilable. */
  readonly values: () => Program<object>;
  /** Characters of the code that was made at once: what a plan takes in memory is mostly that. */
  readonly codeLength: number;
}

/** Throws Uncompilable. */
export function compilePrograms(plan: Plan, schema: GraphQLSchema, shape: Shape): Programs {
  const places = layout(plan);
  const code = new Code();
  const texts = textProgram(code, plan, schema, places, shape);
  let values = texts ? undefined : valueProgram(code, plan, schema, places, shape);
  return {
    texts,
    codeLength: code.length,
    values: () => {
      values ??= valueProgram(new Code(), plan, schema, places, shape);
      return values;
    },
  };
}

function textProgram(
  code: Code,
  plan: Plan,
  schema: GraphQLSchema,
  places: Layout,
  shape: Shape,
): TextProgram | undefined {
  const forms = formsOf(plan, schema, places, shape);
  if (!forms) return undefined;
  const read = plan.calls.map((_, call) => readFunction(code, forms, call));
  const answer = weaveFunction(code, schema, forms, places, shape);
  const [first, ...others] = forms.partsOf(0);
  const isWhole = plan.calls.length === 1 && others.length === 0 && first?.form.isPlain === true;
  const members = `answer:${answer},read:[${read.join(",")}],isWhole:${isWhole}`;
  return code.evaluate(`{${shared(code, plan, schema, places, "texts")},${members}}`, TOOLS);
}

function formsOf(plan: Plan, schema: GraphQLSchema, places: Layout, shape: Shape): RecordForms | undefined {
  try {
    return new RecordForms(schema, plan, places, shape);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

function valueProgram(
  code: Code,
  plan: Plan,
  schema: GraphQLSchema,
  places: Layout,
  shape: Shape,
): Program<object> {
  const answer = answerFunction(code, schema, places, shape);
  return code.evaluate(`{${shared(code, plan, schema, places, "values")},answer:${answer}}`, TOOLS);
}

/** What both programs do alike, as the members of an object. */
function shared(code: Code, plan: Plan, schema: GraphQLSchema, places: Layout, keys: Keys): string {
  const collect = places.entries.map((entries) => {
    return `[${setsOf(entries)
      .map((set) => collectFunction(code, schema, keys, set))
      .join(",")}]`;
  });
  const take = plan.calls.map((_, call) => takeCallFunction(code, plan, places, call, keys));
  return `begin:()=>(${state(plan, places)}),collect:[${collect.join(",")}],take:[${take.join(",")}]`;
}

/** Every name that the state will have, so that all requests' states are of one form. */
function state({ calls }: Plan, { entries }: Layout): string {
  const data = calls.map((_, call) => `d${call}:undefined`);
  const found = entries.flat().map(({ id }) => `o${id}:[],at${id}:[],l${id}:false,n${id}:0,e${id}:[]`);
  return `{${[...data, ...found].join(",")}}`;
}

/** The sets are in the order of their first entries. */
function setsOf(entries: readonly Entry[]): EntitySet[] {
  const byAlias = Map.groupBy(entries, ({ entity }) => entity.alias);
  return [...byAlias].map(([alias, members]) => ({ alias, entries: members }));
}

function takeCallFunction(code: Code, { calls }: Plan, places: Layout, call: number, keys: Keys): string {
  const entries = places.entries[call] ?? [];
  const names = calls[call]?.fetches.flatMap(({ entity, selection }) =>
    entity ? [entity.alias] : [...selection.branches.values()].flatMap((fields) => [...fields.keys()]),
  );
  const takes = setsOf(entries).map((set) => `${takeFunction(code, set, places.owners)}(s,d);`);
  // Stitching and the reference road refuse an answer to what was not asked.
  const isAsked = (names ?? []).map((name) => `k!==${literal(name)}`).join("&&") || "true";
  const check = keys === "texts" ? "" : `for(const k in d)if(${isAsked}&&k!=="__typename")B();`;
  return code.declare(`(s,d){${check}s.d${call}=d;${takes.join("")}}`);
}

/** What the code calls. */
const TOOLS = {
  B: leave,
  Q: valueText,
  T: tokenText,
  SAFE: safeText,
  UNESCAPED: unescaped,
  NONE: Object.freeze({}),
  ...SCANNERS,
};
