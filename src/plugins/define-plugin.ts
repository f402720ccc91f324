/**
 * What a plugin's file exports. This is the module that a plugin imports as "bobbin", and, as it stands, what an editor
 * is given for its types: it imports nothing but types of "graphql", and knows nothing of the host.
 */
import type { GraphQLResolveInfo } from "graphql";

/**
 * Where the plugin's code runs. `worker`: in a thread of its own, which contains its faults. `inline`: in the gateway's
 * thread, without a hop, for code that is trusted to come back. `process`: in a process of its own, for code that has
 * to be survived whatever it does.
 */
export type Isolation = "worker" | "inline" | "process";

/** An answer of GraphQL. */
export interface GraphQLAnswer<Data = Record<string, unknown>> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** A service of the registry, as a plugin sees it. */
export interface ServiceInfo {
  readonly name: string;
  readonly source: "REMOTE" | "PLUGIN" | "CORE";
  readonly status: "ACTIVE" | "DEGRADED" | "ERROR" | "INACTIVE" | "MAINTENANCE";
  /** Of its first healthy instance. */
  readonly url: string;
  readonly graphqlUrl: string | null;
  readonly version: string | null;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Lines in bobbin's log, with the plugin's name. `fields` are shown beside the message. */
export interface PluginLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** What one version of a plugin has while it runs. All of it ends with the version. */
export interface PluginContext<Config = unknown> {
  /** The plugin's name. */
  readonly name: string;
  /** The content of `<name>.config.json` beside the file, or `config.json` in the plugin's folder; `{}` without one. */
  readonly config: Config;
  readonly log: PluginLog;
  /** Aborts when this version ends. */
  readonly signal: AbortSignal;
  /** Calls `action` once after `ms` milliseconds. What it throws is logged. Returns the way to cancel it. */
  after(ms: number, action: () => unknown): () => void;
  /** Calls `action` every `ms` milliseconds. What it throws is logged. Returns the way to end it. */
  every(ms: number, action: () => unknown): () => void;
  /** Calls `cleanup` when this version ends, the latest first. */
  defer(cleanup: () => unknown): void;
  /** Asks the gateway's whole graph. Whatever goes wrong is an error in the answer. */
  query<Data = Record<string, unknown>>(
    document: string,
    variables?: Record<string, unknown>,
  ): Promise<GraphQLAnswer<Data>>;
  /** Subscribes to the gateway's graph; ends with this version. */
  subscribe<Data = Record<string, unknown>>(
    document: string,
    variables?: Record<string, unknown>,
  ): AsyncIterable<GraphQLAnswer<Data>>;
  /** Every service that is registered. */
  services(): Promise<readonly ServiceInfo[]>;
}

/** A resolver's third argument, and the second one of `fetch`. */
export interface RequestContext<Config = unknown> extends PluginContext<Config> {
  /** Headers of the client's request, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Resolver<Config = unknown> = (
  // biome-ignore lint/suspicious/noExplicitAny: what a resolver is given follows from the plugin's own typeDefs
  parent: any,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  args: any,
  context: RequestContext<Config>,
  info: GraphQLResolveInfo,
) => unknown;

/** A field's resolver; of a subscription `subscribe` gives the events, and `resolve` makes the answer of each. */
export type FieldResolver<Config = unknown> =
  | Resolver<Config>
  | { readonly resolve?: Resolver<Config>; readonly subscribe?: Resolver<Config> };

/** Type → field → resolver; a GraphQLScalarType for a scalar; an enum's internal values. */
export type Resolvers<Config = unknown> = Record<
  string,
  { readonly [field: string]: FieldResolver<Config> | string | number | boolean } | object
>;

/** A validator as zod, valibot, arktype and others make it: see https://standardschema.dev. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

export interface PluginDefinition<Config = unknown> {
  /** The service's name: lower case letters, digits, dot, hyphen and underscore. Need not equal the file's. */
  readonly name: string;
  readonly version: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Names of services that this one needs. */
  readonly dependencies?: readonly string[];
  readonly metadata?: Record<string, unknown>;
  /** Where the code runs: "worker" unless said otherwise. Has to be written out here, in the plugin's entry file. */
  readonly isolation?: Isolation;
  /** Checks the configuration: a validator of a library, or a function that returns it or throws. */
  readonly config?: StandardSchema<Config> | ((value: unknown) => Config);
  /** The schema, as SDL. May declare how types merge with those of other services: `@key`, `@merge`, `@computed`. */
  readonly typeDefs: string;
  readonly resolvers?: Resolvers<Config>;
  /** Runs before this version serves; what it throws keeps the version before it. */
  setup?(context: PluginContext<Config>): unknown;
  /** Runs after this version served its last request. */
  dispose?(context: PluginContext<Config>): unknown;
  /** Throws where the plugin is not well; asked with every health check. */
  health?(context: PluginContext<Config>): unknown;
  /** Answers HTTP requests below `/plugins/<name>/`. */
  fetch?(request: Request, context: RequestContext<Config>): Response | Promise<Response>;
}

/** Returns the definition as it is: for the editor's sake. */
export function definePlugin<Config = unknown>(
  definition: PluginDefinition<Config>,
): PluginDefinition<Config> {
  return definition;
}
