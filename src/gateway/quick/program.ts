/**
 * The code that carries a plan's answers from one request to the next and to the client, made once for the plan.
 * Knows how code is made and run; nothing of requests.
 */
import type { GraphQLSchema } from "graphql";
import type { Plan } from "../federation/plan.ts";
import { answerFunction } from "./answering.ts";
import { Code, literal } from "./code.ts";
import { collectFunction, type EntitySet, takeFunction } from "./collecting.ts";
import { type Entry, type Layout, layout } from "./places.ts";
import { SCANNERS, type Splicing, splicing } from "./scanning.ts";
import type { Shape } from "./shape.ts";

/** What one request has gathered so far. */
export type State = object;

/** Each may throw LEFT. */
export interface Program {
  begin(): State;
  /** Of each call, of each of its sets of entities: the texts of the representations. */
  readonly collect: readonly (readonly ((state: State) => string)[])[];
  /** Of each call: takes the answer's data. */
  readonly take: readonly ((state: State, data: object) => void)[];
  /** The answer's data. */
  answer(state: State): object;
  /** Where the services' answers go to the client as they are. */
  readonly splicing: Splicing | undefined;
}

/** Thrown where an answer is not as it should be; the reference road says what is wrong with it. */
export const LEFT = Symbol("left the quick road");

/** Throws Uncompilable. */
export function compileProgram(plan: Plan, schema: GraphQLSchema, shape: Shape): Program {
  const places = layout(plan);
  const code = new Code();
  const collect = places.entries.map((entries) => {
    return `[${setsOf(entries)
      .map((set) => collectFunction(code, schema, set))
      .join(",")}]`;
  });
  const take = plan.calls.map((_, call) => takeCallFunction(code, plan, places, call));
  const answer = answerFunction(code, schema, places, shape);
  // Requests that wait for others, as a mutation's do, are not made at once.
  const areAtOnce = plan.calls.every(({ after }) => after.length === 0);
  const spliced = areAtOnce ? splicing(code, schema, places, shape) : undefined;
  const pieces = spliced && `{...${code.constant(spliced)},scans:[${spliced.scans.join(",")}]}`;
  return code.evaluate<Program>(
    `{begin:()=>(${state(plan, places)}),collect:[${collect.join(",")}],take:[${take.join(",")}],answer:${answer},splicing:${pieces}}`,
    { B: leave, Q: jsonText, NONE: Object.freeze({}), ...SCANNERS },
  );
}

/** Every name that the state will have, so that all requests' states are of one form. */
function state({ calls }: Plan, { entries }: Layout): string {
  const data = calls.map((_, call) => `d${call}:undefined`);
  const found = entries.flat().map(({ id }) => `o${id}:[],at${id}:[],n${id}:0,e${id}:[]`);
  return `{${[...data, ...found].join(",")}}`;
}

/** The sets are in the order of their first entries. */
function setsOf(entries: readonly Entry[]): EntitySet[] {
  const byAlias = Map.groupBy(entries, ({ entity }) => entity.alias);
  return [...byAlias].map(([alias, members]) => ({ alias, entries: members }));
}

function takeCallFunction(code: Code, { calls }: Plan, places: Layout, call: number): string {
  const entries = places.entries[call] ?? [];
  const names = calls[call]?.fetches.flatMap(({ entity, selection }) =>
    entity ? [entity.alias] : [...selection.branches.values()].flatMap((fields) => [...fields.keys()]),
  );
  const takes = setsOf(entries).map((set) => `${takeFunction(code, set, places.owners)}(s,d);`);
  // Stitching and the reference road refuse an answer to what was not asked.
  const isAsked = (names ?? []).map((name) => `k!==${literal(name)}`).join("&&") || "true";
  return code.declare(
    `(s,d){for(const k in d)if(${isAsked}&&k!=="__typename")B();s.d${call}=d;${takes.join("")}}`,
  );
}

function leave(): never {
  throw LEFT;
}

/** What nearly every key consists of, and needs no escaping. */
const PLAIN_TEXT = /^[\w .:@/+=-]*$/;

/** A key's value as JSON; undefined where it has none. */
function jsonText(value: unknown): string | undefined {
  if (typeof value === "string") return PLAIN_TEXT.test(value) ? `"${value}"` : JSON.stringify(value);
  if (value === null) return "null";
  if (value === undefined) return undefined;
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return String(value);
  return leave();
}
