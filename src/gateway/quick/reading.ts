/**
 * Code that reads a service's answer as records: runs of text for the client, values for keys, and what others' answers
 * are put into. Whatever it does not expect, parsing sees to. Knows forms of records; nothing of requests.
 */
import { type GraphQLOutputType, isListType, isNonNullType } from "graphql";
import { type Code, literal } from "./code.ts";
import type { FormField, RecordForm, RecordForms } from "./record-forms.ts";
import { byTypename, scanFields, scanFunction } from "./scanning.ts";

/** The property of a record that has a run of text; no name of GraphQL's. */
export const runName = (first: number) => `$r${first}`;

/** How an answer begins that has data and no errors. */
export const BEGIN = '{"data":{';

/**
 * Writes a function from an answer's text to the record of its data, which throws where it is not as expected. In the
 * code, `t` is the text, `i` a position in it, `P` the position after what was read last, and `E` whether the text has
 * escapes.
 */
export function readFunction(code: Code, forms: RecordForms, call: number): string {
  const steps: string[] = [];
  const members: string[] = [];
  code.variable("P");
  code.variable("E");
  for (const { alias, form } of forms.partsOf(call)) {
    const isFirst = steps.length === 0;
    if (alias === undefined) {
      const [fields = []] = form.variants.values();
      const read = readFields(code, fields, { isFirst, opening: "" });
      steps.push(...read.steps);
      members.push(...read.members);
      continue;
    }
    const name = `${isFirst ? "" : ","}${literal(alias)}:`;
    const x = code.name("x");
    const read = listOf(code, nullable(code, readRecord(code, form)));
    steps.push(`${expect(name)}i+=${name.length};const ${x}=${read}(t,i);i=P;`);
    members.push(`${alias}:${x}`);
  }
  return code.declare(
    `(t){E=t.includes("\\\\");let i=${BEGIN.length};if(!t.startsWith(${literal(BEGIN)}))B();${steps.join("")}if(!t.startsWith("}}",i)||!isEnd(t,i+2))B();return{${members.join(",")}}}`,
  );
}

const expect = (text: string) => `if(!t.startsWith(${literal(text)},i))B();`;

/** A function for an object that is there. */
function readRecord(code: Code, form: RecordForm): string {
  // They are there from the beginning, because an object that grows is made anew.
  const slots = form.slots.map((slot) => `${slot}:undefined`);
  const cases = [...form.variants].map(([type, fields]) => {
    const typename = form.isAbstract ? [`__typename:${literal(type)}`] : [];
    const isBare = !form.isAbstract && fields.length === 0;
    // What asks for nothing asks for the type's name.
    const bare = isBare ? `${expect('{"__typename":')}i=STRING(t,i+14);if(i<0)B();` : "";
    const { steps, members } = readFields(code, fields, {
      isFirst: !form.isAbstract && !isBare,
      opening: "{",
    });
    const all = [...typename, ...members, ...slots].join(",");
    return [type, `${bare}${steps.join("")}if(t.charCodeAt(i)!==125)B();P=i+1;return{${all}}`] as const;
  });
  const [only] = cases;
  if (!form.isAbstract) return code.declare(`(t,i){${only?.[1] ?? "B()"}}`);
  return code.declare(`(t,i){${byTypename(cases, "B()")}}`);
}

/** Statements that read fields one after the other, and the record's properties. `opening`: what comes before the first. */
function readFields(
  code: Code,
  fields: readonly FormField[],
  { isFirst, opening }: { isFirst: boolean; opening: string },
): { steps: string[]; members: string[] } {
  const members: string[] = [];
  const steps: string[] = [];
  let begin = "";
  for (let i = 0; i < fields.length; ) {
    const field = fields[i] as FormField;
    const { alias, run, isNeeded, below } = field;
    const before = isFirst && i === 0 ? opening : ",";
    if (run === i) {
      begin = code.name("b");
      steps.push(`const ${begin}=i+${before.length};`);
    }
    const stretch = stretchAt(fields, i);
    const name = `${before}${literal(alias)}:`;
    const x = code.name("x");
    if (stretch.length > 0) steps.push(scanFields(code, stretch, before, "B()"));
    else if (below && !below.isPlain) {
      steps.push(`${expect(name)}const ${x}=${readValue(code, field.type, below)}(t,i+${name.length});i=P;`);
      members.push(`${alias}:${x}`);
    } else {
      const start = code.name("v");
      steps.push(
        `${expect(name)}const ${start}=i+${name.length};i=${scanFunction(code, field.type, below)}(t,${start});if(i<0)B();`,
        `const ${x}=t.charCodeAt(${start})===110?null:E?UNESCAPED(t,${start},i):t.slice(${start},i);`,
        isNeeded ? `if(${x}===null)B();` : "",
      );
      members.push(`${alias}:${x}`);
    }
    i += Math.max(stretch.length, 1);
    if (run !== undefined && fields[i]?.run !== run) {
      steps.push(`const ${begin}t=t.slice(${begin},i);`);
      members.push(`${runName(run)}:${begin}t`);
    }
  }
  return { steps, members };
}

/** The fields from `first` on that are gone over without looking, and are in one run or in none. */
function stretchAt(fields: readonly FormField[], first: number): FormField[] {
  const { run } = fields[first] as FormField;
  const rest = fields.slice(first);
  const end = rest.findIndex(({ isKept, below, ...each }) => {
    return isKept || (below && !below.isPlain) || each.run !== run;
  });
  return end < 0 ? rest : rest.slice(0, end);
}

/** A function for a value of the type, whose objects are records. */
function readValue(code: Code, type: GraphQLOutputType | undefined, form: RecordForm): string {
  if (!type) return readRecord(code, form);
  if (!isNonNullType(type)) return nullable(code, readThere(code, type, form));
  return readThere(code, type.ofType, form);
}

function readThere(code: Code, type: GraphQLOutputType, form: RecordForm): string {
  return isListType(type) ? listOf(code, readValue(code, type.ofType, form)) : readRecord(code, form);
}

function nullable(code: Code, read: string): string {
  return code.declare(`(t,i){if(t.startsWith("null",i)){P=i+4;return null}return ${read}(t,i)}`);
}

function listOf(code: Code, read: string): string {
  return code.declare(
    `(t,i){if(t.charCodeAt(i)!==91)B();i++;const r=[];if(t.charCodeAt(i)===93){P=i+1;return r}for(;;){r.push(${read}(t,i));i=P;const c=t.charCodeAt(i);if(c===93){P=i+1;return r}if(c!==44)B();i++}}`,
  );
}
