/**
 * Documents put together from their definitions' texts. A definition whose text comes again is the same node again: of
 * a supergraph, a change alters a few of thousands. Knows syntax; nothing of what is defined.
 */
import { type DefinitionNode, type DocumentNode, Kind, parse, print } from "graphql";

/** What each definition was parsed from. */
const texts = new WeakMap<DefinitionNode, string>();

/** A document as its definitions' texts; none is printed that was parsed here. */
export function textsOf({ definitions }: DocumentNode): string[] {
  return definitions.map((definition) => texts.get(definition) ?? print(definition));
}

export class Definitions {
  /** Those of the last documents. */
  #known: ReadonlyMap<string, DefinitionNode> = new Map();

  /** Throws a syntax error. */
  documents<Name extends string>(
    named: Readonly<Record<Name, readonly string[]>>,
  ): Record<Name, DocumentNode> {
    const nodes = new Map<string, DefinitionNode>();
    const documents = {} as Record<Name, DocumentNode>;
    for (const name in named) {
      const definitions = named[name].map((text) => {
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
  texts.set(definition, text);
  return definition;
}
