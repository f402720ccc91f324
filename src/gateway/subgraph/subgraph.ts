/**
 * One service's part of the graph: its schema as the gateway shows it, and what is compared when graphs meet.
 * Built once for each SDL. Knows one service's schema; nothing of the others, of the registry or of HTTP.
 */
import type { SubschemaConfig } from "@graphql-tools/delegate";
import type { Executor } from "@graphql-tools/utils";
import { type DocumentNode, GraphQLError, type GraphQLSchema } from "graphql";
import { BobbinError, messageOf } from "../../errors.ts";
import type { SchemaKind } from "../../registry/metadata.ts";
import { federatedParts } from "./federated-subgraph.ts";
import { type StitchedParts, type StitchedSource, stitchedParts } from "./stitched-subgraph.ts";

export interface SubgraphSource extends StitchedSource {
  readonly namespace: string | null;
  /** Whether the SDL is a federated service's. */
  readonly isFederated?: boolean;
  /** How the service offered it; absent where it was not asked. */
  readonly kind?: SchemaKind;
}

export interface Subgraph extends Omit<StitchedParts, "config" | "own"> {
  readonly source: SubgraphSource;
  readonly name: string;
  /** Identifies the SDL together with the settings that change what is shown of it. */
  readonly hash: string;
  readonly sdl: string;
  readonly namespace: string | null;
  /** Whom the service is stitched as; a federated one is stitched with the others of its kind. */
  readonly config: SubschemaConfig | undefined;
  /** The same, under its own names. */
  readonly own: GraphQLSchema | undefined;
  /** What a federated service is composed of. */
  readonly document: DocumentNode | undefined;
  /** What it was built with. */
  readonly executor: Executor;
}

const MAX_SDL_LENGTH = 8 * 1024 * 1024;

export function subgraphHash(source: Omit<SubgraphSource, "name">): string {
  const { sdl, namespace, isFederated, hide = [], rename = {}, merge = [] } = source;
  const isShaped = isFederated || hide.length > 0 || Object.keys(rename).length > 0 || merge.length > 0;
  const shape = isShaped ? JSON.stringify([isFederated, hide, rename, merge]) : "";
  return Bun.hash(`${namespace ?? ""}\n${shape}${sdl}`).toString(36);
}

/** Parses and checks the SDL. Throws SCHEMA_INVALID. */
export function buildSubgraph(source: SubgraphSource, executor: Executor): Subgraph {
  const { name, sdl, namespace } = source;
  if (sdl.length > MAX_SDL_LENGTH) throw invalid(`it is longer than ${MAX_SDL_LENGTH} characters`);
  const common = { source, name, hash: subgraphHash(source), sdl, namespace, executor };
  try {
    return source.isFederated
      ? { ...common, ...federatedParts(source), config: undefined, own: undefined }
      : { ...common, ...stitchedParts(source, executor), document: undefined };
  } catch (error) {
    throw error instanceof BobbinError ? error : invalid(withPlace(error), error);
  }
}

/** Says where a syntax error is; other errors are about types and fields, which they name. */
function withPlace(error: unknown): string {
  const [place] = error instanceof GraphQLError ? (error.locations ?? []) : [];
  return place ? `${messageOf(error)} (line ${place.line}, column ${place.column})` : messageOf(error);
}

function invalid(problem: string, cause?: unknown): BobbinError {
  return new BobbinError("SCHEMA_INVALID", `The schema is not valid: ${problem}`, { cause });
}
