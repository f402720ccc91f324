/**
 * What kind of service an SDL is of, where there is no service to ask. Knows the directives of each kind; nothing of
 * what they mean.
 */
import { type DirectiveNode, Kind, parse, visit } from "graphql";
import type { SchemaKind } from "../../registry/metadata.ts";

const OF_FEDERATION = new Set([
  "external",
  "requires",
  "provides",
  "shareable",
  "override",
  "interfaceObject",
]);
const OF_STITCHING = new Set(["merge", "computed", "canonical"]);
const FEDERATION_URL = /specs\.apollo\.dev\/federation\//;
/** Only a federated service has these, and only where its whole schema is shown. */
const FEDERATION_FIELDS = new Set(["_service", "_entities"]);

/** Of a text that is no SDL it is "plain": what is wrong is found when it is built. */
export function kindOfText(sdl: string): SchemaKind {
  let kind: SchemaKind = "plain";
  try {
    visit(parse(sdl, { noLocation: true }), {
      DirectiveDefinition: () => false,
      Directive(node) {
        if (isFederations(node)) kind = "federation";
        else if (kind === "plain" && isStitchings(node)) kind = "stitching";
      },
      FieldDefinition({ name: { value } }) {
        if (FEDERATION_FIELDS.has(value)) kind = "federation";
      },
    });
  } catch {
    // A syntax error, which is told with its place later.
  }
  return kind;
}

function isFederations({ name: { value: name }, arguments: given = [] }: DirectiveNode): boolean {
  if (name === "key") return given.some((each) => each.name.value === "fields");
  if (name !== "link") return OF_FEDERATION.has(name);
  return given.some(({ value }) => value.kind === Kind.STRING && FEDERATION_URL.test(value.value));
}

function isStitchings({ name: { value: name }, arguments: given = [] }: DirectiveNode): boolean {
  return (
    OF_STITCHING.has(name) || (name === "key" && given.some((each) => each.name.value === "selectionSet"))
  );
}
