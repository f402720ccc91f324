/**
 * Runs through what the start of a plugin runs through, in a thread that waits for one: code that has run before is
 * several times as fast. Knows what a runner does first; nothing of plugins.
 */
import { printSchemaWithDirectives } from "@graphql-tools/utils";
import { executeOnce, parseCached } from "./execution.ts";
import { importDefault, schemaOf } from "./runner.ts";

/** After about as many nothing gets faster any more. */
const TURNS = 20;

const TYPE_DEFS = /* GraphQL */ `
  type Query { warm(id: ID!, first: Int = 1, where: Where): Warm!, list: [Warm!] }
  type Mutation { add(where: Where!): Warm }
  type Warm implements Named { id: ID!, name: String, size: Float, mood: Mood, related(first: Int): [Warm!]! }
  interface Named { name: String }
  enum Mood { GOOD BAD }
  input Where { name: String, sizes: [Float!], mood: Mood = GOOD }
  union Any = Warm | Other
  type Other { any: Any }
`;

/** Goes on while `isWanted`, and gives way between the turns. */
export async function warmUp(isWanted: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS && isWanted(); turn += 1) {
    const resolvers = { Query: { warm: () => ({ id: turn, related: [{ id: 0, related: [] }] }) } };
    const schema = schemaOf({ name: "warm-up", version: "0", typeDefs: TYPE_DEFS, resolvers }, "");
    printSchemaWithDirectives(schema);
    await importDefault(`export default ${turn};`, "");
    await executeOnce({
      schema,
      document: parseCached("query ($id: ID!) { warm(id: $id) { id name related { id mood } } }"),
      variableValues: { id: "1" },
      operationName: undefined,
      contextValue: {},
      onFailure: () => {},
    });
    await new Promise(setImmediate);
  }
}
