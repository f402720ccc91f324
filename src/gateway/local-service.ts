/**
 * A service that this process serves itself, as the graph takes it. Knows what can be called; nothing of who serves it.
 */
import type { Executor } from "@graphql-tools/utils";
import type { BobbinError } from "../errors.ts";

/** Reached by a call, not over its URL. */
export interface LocalService {
  readonly sdl: string;
  readonly execute: Executor;
}

/** One of them as it stands: what runs, and why there is nothing newer. */
export interface LocalState {
  readonly service: LocalService | undefined;
  readonly failure: BobbinError | undefined;
  /** Where a plugin's code is, for what is said of it. */
  readonly file: string | undefined;
}
