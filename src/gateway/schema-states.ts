/**
 * What became of each service's newest schema: for whoever asks, and for the registry, which is told what is new.
 * Knows schemas and snapshots; nothing of when or how is composed.
 */
import type { SchemaChanges } from "../events.ts";
import { gatewaySettings, type SchemaKind } from "../registry/metadata.ts";
import { getsRequests, type SchemaState, type Service } from "../registry/service.ts";
import type { Reason } from "./compose/compose.ts";
import type { LocalState } from "./local-service.ts";
import { isGraphQL, type Schemas } from "./schemas.ts";
import type { Snapshot } from "./snapshot.ts";

export type CompositionState = "COMPOSED" | "PREVIOUS" | "REJECTED" | "PENDING" | "NOT_GRAPHQL" | "ALIAS";

export interface SchemaOutcome {
  readonly composition: CompositionState;
  readonly reason: Reason | null;
  /** How the service offers its schema; null where that is not known, and for services of this process. */
  readonly kind: SchemaKind | null;
  /** Whether its registration says so. */
  readonly kindForced: boolean;
}

export interface StatesOptions {
  service: (name: string) => Service | undefined;
  local: (name: string) => LocalState | undefined;
  /** Takes what became of a service's schema; `changes`: what another schema of it is for clients. */
  recordSchema: (name: string, state: SchemaState, changes?: SchemaChanges) => Promise<void>;
}

export class SchemaStates {
  readonly #schemas: Schemas;
  readonly #options: StatesOptions;

  constructor(schemas: Schemas, options: StatesOptions) {
    this.#schemas = schemas;
    this.#options = options;
  }

  /** What became of a service's schema, and why. */
  of(service: Service, snapshot: Snapshot): SchemaOutcome {
    const forced = gatewaySettings(service.metadata).kind;
    const kind = forced ?? this.#schemas.kind(service.name) ?? null;
    return { ...this.#compositionOf(service, snapshot), kind, kindForced: forced !== null };
  }

  #compositionOf(service: Service, snapshot: Snapshot): Pick<SchemaOutcome, "composition" | "reason"> {
    const { name } = service;
    if (this.#schemas.isAlias(name)) return { composition: "ALIAS", reason: null };
    if (!isGraphQL(service)) return { composition: "NOT_GRAPHQL", reason: null };
    // A schema that is gone is not refused any more.
    const refused = this.#schemas.latest(name) && snapshot.rejected.get(name);
    const reason = this.#schemas.failure(name) ?? (refused ? this.withFile(name, refused) : null);
    if (snapshot.subgraphs.has(name)) return { composition: reason ? "PREVIOUS" : "COMPOSED", reason };
    const neverReached = service.source === "REMOTE" && !service.everHealthy && isUnreachable(reason);
    return { composition: !reason || neverReached ? "PENDING" : "REJECTED", reason };
  }

  /** Tells the registry what became of the service's newest schema, where the registry has it otherwise. */
  report(name: string, snapshot: Snapshot | undefined, changes?: SchemaChanges): void {
    const service = this.#options.service(name);
    if (!service || !snapshot) return;
    const { composition, reason } = this.#compositionOf(service, snapshot);
    // Its first schema is still to come: until then, what an earlier process found stands.
    if (composition === "PENDING" && !reason) return;
    const { schema } = service;
    // A service that cannot be reached is the probes' matter: its schema is neither refused nor in doubt.
    const isProbes = isUnreachable(reason) && !getsRequests(service.status);
    const { code, message } = reason ?? { code: null, message: null };
    const state: SchemaState = {
      ...(isProbes ? schema : { state: SCHEMA_STATES[composition], code, message }),
      hash: snapshot.subgraphs.get(name)?.hash ?? null,
    };
    const isNews =
      schema.state !== state.state || schema.message !== state.message || schema.hash !== state.hash;
    if (isNews) void this.#options.recordSchema(name, state, changes);
  }

  /** Of a plugin it is said where it is. */
  withFile(name: string, reason: Reason): Reason {
    const file = this.#options.local(name)?.file;
    if (file === undefined) return reason;
    return { ...reason, message: `${file}: ${reason.message}`, file, step: "compose" };
  }
}

/** What the registry is told of each state. */
const SCHEMA_STATES: Record<CompositionState, SchemaState["state"]> = {
  COMPOSED: "CURRENT",
  PREVIOUS: "PREVIOUS",
  REJECTED: "REJECTED",
  PENDING: "NONE",
  NOT_GRAPHQL: "NONE",
  ALIAS: "NONE",
};

function isUnreachable(reason: Reason | null): boolean {
  return reason?.code === "SCHEMA_UNREACHABLE";
}
