/**
 * What a plugin's file exports. This is the module that a plugin imports as "bobbin"; it knows nothing of the host.
 */

/** What a resolver is given as its third argument. */
export interface PluginContext {
  /** Headers of the client's request, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: what a resolver is given follows from the plugin's own typeDefs
export type Resolver = (parent: any, args: any, context: PluginContext, info: unknown) => unknown;

/** Type name → field name → resolver; scalars and enums as graphql-tools takes them. */
export type Resolvers = Record<
  string,
  Record<string, Resolver | Record<string, unknown> | unknown> | unknown
>;

export interface PluginDefinition {
  /** The service's name: lower case letters, digits, dot, hyphen and underscore. Need not equal the file's. */
  readonly name: string;
  readonly version: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly dependencies?: readonly string[];
  readonly metadata?: Record<string, unknown>;
  /** The schema, as SDL. */
  readonly typeDefs: string;
  readonly resolvers?: Resolvers;
}

/** Returns the definition as it is: for the editor's sake. */
export function definePlugin(definition: PluginDefinition): PluginDefinition {
  return definition;
}
