/**
 * Documents put together from their definitions' texts. A definition whose text comes again is the same node again: of
 * a supergraph, a change alters a few of thousands. Knows syntax; nothing of what is defined.
 */
import { type DefinitionNode, type DocumentNode, Kind, parse } from "graphql";

export class Definitions {
  /** Those of the last documents. */
  #known: ReadonlyMap<string, DefinitionNode> = new Map();

  /** Throws a syntax error. */
  documents<Name extends string>(
    texts: Readonly<Record<Name, readonly string[]>>,
  ): Record<Name, DocumentNode> {
    const nodes = new Map<string, DefinitionNode>();
    const documents = {} as Record<Name, DocumentNode>;
    for (const name in texts) {
      const definitions = texts[name].map((text) => {
        const node = nodes.get(text) ?? this.#known.get(text) ?? definitionOf(text);
        nodes.set(text, node);
        return node;
      });
      documents[name] = { kind: Kind.DOCUMENT, definitions };
    }
    this.#known = nodes;
    return documents;
  }
}

function definitionOf(text: string): DefinitionNode {
  const [definition] = parse(text, { noLocation: true }).definitions;
  if (!definition) throw new Error("a text without a definition");
  return definition;
}
