/**
 * Less of an operation. Knows documents; nothing of answers.
 */
import { type DocumentNode, type GraphQLSchema, Kind, parse, print, validate, visit } from "graphql";
import type { RandomOperation } from "./operation.ts";

/** Valid operations that ask for a part less, each for another one. */
export function* smaller(schema: GraphQLSchema, operation: RandomOperation): Iterable<RandomOperation> {
  const document = parse(operation.query, { noLocation: true });
  let count = 0;
  visit(document, {
    SelectionSet({ selections }) {
      count += selections.length;
    },
  });
  for (let left = 0; left < count; left++) {
    let seen = 0;
    const without = visit(document, {
      SelectionSet: {
        enter(node) {
          const selections = node.selections.filter(() => seen++ !== left);
          return selections.length < node.selections.length ? { ...node, selections } : undefined;
        },
      },
    });
    const candidate = used(operation, without);
    try {
      if (validate(schema, parse(candidate.query)).length === 0) yield candidate;
    } catch {
      // Nothing is left between some braces.
    }
  }
}

/** Without the fragments and the variables that nothing uses any more. */
function used(operation: RandomOperation, document: DocumentNode): RandomOperation {
  let rest = document;
  for (let before = -1; rest.definitions.length !== before; ) {
    before = rest.definitions.length;
    const names = new Set<string>();
    visit(rest, { FragmentSpread: ({ name }) => void names.add(name.value) });
    const definitions = rest.definitions.filter(
      (node) => node.kind !== Kind.FRAGMENT_DEFINITION || names.has(node.name.value),
    );
    rest = { ...rest, definitions };
  }
  const names = new Set<string>();
  visit(rest, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void names.add(name.value),
  });
  const query = print(
    visit(rest, {
      VariableDefinition: ({ variable }) => (names.has(variable.name.value) ? undefined : null),
    }),
  );
  const variables = Object.fromEntries(
    Object.entries(operation.variables).filter(([name]) => names.has(name)),
  );
  return { ...operation, query, variables };
}
