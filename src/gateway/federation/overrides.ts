/**
 * Fields that two services take over from the same third one with @override: the composition library lets both have
 * it, and which of them is asked would be chance. Pure. Knows documents; nothing of how they are composed.
 */
import { type DirectiveNode, type DocumentNode, Kind, visit } from "graphql";
import type { NamedDocument } from "./repair.ts";

/** What is wrong, in words for the services' owners; undefined where nothing is. */
export function overrideProblem(services: readonly NamedDocument[]): string | undefined {
  /** `Type.field` and from whom → who takes it over. */
  const taken = new Map<string, string>();
  for (const { name, document } of services) {
    for (const { field, from } of overridesOf(document)) {
      const first = taken.get(`${field} ${from}`);
      if (first !== undefined && first !== name)
        return `Field "${field}" is taken over from "${from}" with @override by "${first}" and by "${name}": leave it to one of them`;
      taken.set(`${field} ${from}`, name);
    }
  }
  return undefined;
}

interface Override {
  readonly field: string;
  readonly from: string;
}

function overridesOf(document: DocumentNode): Override[] {
  const names = directiveNames(document);
  const found: Override[] = [];
  for (const node of document.definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
    for (const field of node.fields ?? []) {
      const from = textOf(field.directives?.find(({ name }) => names.has(name.value)));
      if (from !== undefined) found.push({ field: `${node.name.value}.${field.name.value}`, from });
    }
  }
  return found;
}

/** An import may give it another name: { name: "@override", as: "@takes" }. */
function directiveNames(document: DocumentNode): ReadonlySet<string> {
  const names = new Set(["override", "federation__override"]);
  visit(document, {
    ObjectValue({ fields }) {
      const [name, as] = ["name", "as"].map((key) => fields.find((field) => field.name.value === key)?.value);
      if (name?.kind === Kind.STRING && as?.kind === Kind.STRING && name.value === "@override")
        names.add(as.value.slice(1));
    },
  });
  return names;
}

function textOf(directive: DirectiveNode | undefined): string | undefined {
  const from = directive?.arguments?.find(({ name }) => name.value === "from")?.value;
  return from?.kind === Kind.STRING ? from.value : undefined;
}
