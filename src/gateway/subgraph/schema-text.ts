/**
 * Schemas as SDL, each default as it is written. Knows schemas and introspection; nothing of services.
 */
import {
  buildClientSchema,
  type GraphQLSchema,
  type IntrospectionInputValue,
  type IntrospectionQuery,
  introspectionFromSchema,
  parse,
  parseConstValue,
  print,
  printSchema,
  visit,
} from "graphql";

export function sdlOf(schema: GraphQLSchema): string {
  try {
    return printSchema(schema);
  } catch {
    // graphql-js knows no literal for an object of a custom scalar; introspection does.
    return sdlOfIntrospection(
      introspectionFromSchema(schema, {
        inputValueDeprecation: true,
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        oneOf: true,
      }),
    );
  }
}

/** Throws what is wrong with the introspection. */
export function sdlOfIntrospection(introspection: IntrospectionQuery): string {
  const defaults = new Map<string, string>();
  const without = withoutDefaults(introspection, defaults);
  const sdl = printSchema(buildClientSchema(without));
  if (defaults.size === 0) return sdl;
  const place: string[] = [];
  const entering = (name: string): void => void place.push(name);
  const leave = (): void => void place.pop();
  const within = {
    enter: ({ name }: { name: { value: string } }) => entering(name.value),
    leave,
  };
  const document = visit(parse(sdl, { noLocation: true }), {
    ObjectTypeDefinition: within,
    InterfaceTypeDefinition: within,
    InputObjectTypeDefinition: within,
    FieldDefinition: within,
    DirectiveDefinition: { enter: ({ name }) => entering(`@${name.value}`), leave },
    InputValueDefinition: (node) => {
      const text = defaults.get([...place, node.name.value].join("."));
      return text === undefined ? undefined : { ...node, defaultValue: parseConstValue(text) };
    },
  });
  return print(document);
}

/** Notes the defaults by the place where they stand: `Type.field.argument`, `Input.field` or `@directive.argument`. */
function withoutDefaults(
  { __schema }: IntrospectionQuery,
  defaults: Map<string, string>,
): IntrospectionQuery {
  const without = (inputs: readonly IntrospectionInputValue[], place: string) =>
    inputs.map((input) => {
      if (typeof input.defaultValue === "string") defaults.set(`${place}.${input.name}`, input.defaultValue);
      return { ...input, defaultValue: null };
    });
  return {
    __schema: {
      ...__schema,
      types: __schema.types.map((type) => {
        if ("inputFields" in type && type.inputFields)
          return { ...type, inputFields: without(type.inputFields, type.name) };
        if (!("fields" in type) || !type.fields) return type;
        const fields = type.fields.map((field) => {
          return { ...field, args: without(field.args, `${type.name}.${field.name}`) };
        });
        return { ...type, fields };
      }),
      directives: __schema.directives.map((directive) => {
        return { ...directive, args: without(directive.args, `@${directive.name}`) };
      }),
    },
  };
}
