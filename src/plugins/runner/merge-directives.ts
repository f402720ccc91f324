/**
 * The directives with which a plugin's SDL may say how its types merge with those of other services, so that it need
 * not define them. Knows their definitions; what they mean is the gateway's.
 */

/** Name → definition, as graphql-tools has it. */
export const MERGE_DIRECTIVES: Readonly<Record<string, string>> = {
  key: "directive @key(selectionSet: String!) on OBJECT",
  merge:
    "directive @merge(keyField: String, keyArg: String, additionalArgs: String, key: [String!], argsExpr: String) on FIELD_DEFINITION",
  computed: "directive @computed(selectionSet: String!) on FIELD_DEFINITION",
  canonical:
    "directive @canonical on OBJECT | INTERFACE | INPUT_OBJECT | UNION | ENUM | SCALAR | FIELD_DEFINITION | INPUT_FIELD_DEFINITION",
};

/** The definitions that the SDL lacks of those that it uses. */
export function missingMergeDirectives(sdl: string): string[] {
  return Object.entries(MERGE_DIRECTIVES).flatMap(([name, definition]) => {
    const isUsed = new RegExp(`@\\s*${name}\\b`).test(sdl);
    const isDefined = new RegExp(`\\bdirective\\s*@\\s*${name}\\b`).test(sdl);
    return isUsed && !isDefined ? [definition] : [];
  });
}
