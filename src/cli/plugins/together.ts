/**
 * Whether plugins go together: their names, what the registry takes of them, and the one graph that they make up.
 * Pure. Knows what they say of themselves; nothing of their code, or of services that are not among them.
 */
import { BobbinError, toBobbinError } from "../../errors.ts";
import { compose } from "../../gateway/compose/compose.ts";
import { buildSubgraph, type Subgraph } from "../../gateway/subgraph/subgraph.ts";
import { shown } from "../../plugins/place.ts";
import type { Manifest } from "../../plugins/runner/definition.ts";
import { gatewaySettings } from "../../registry/metadata.ts";
import { register } from "../../registry/registration.ts";
import type { Trouble } from "../terminal/trouble.ts";

/** A graph is never empty: a server's has the core's fields. */
const BASE = subgraphOf("core", "type Query { _bobbin: Boolean }");

/** Entry → why that plugin would be left out beside those before it. */
export function troublesTogether(plugins: ReadonlyMap<string, Manifest>): Map<string, Trouble> {
  const troubles = new Map<string, Trouble>();
  const entries = new Map<string, string>();
  const subgraphs: Subgraph[] = [];
  for (const [entry, manifest] of plugins) {
    const { name, sdl, metadata = {} } = manifest;
    const file = shown(entry);
    try {
      checkName(name, file, entries.get(name));
      checkRegistration(manifest, file);
      subgraphs.push(subgraphOf(name, sdl, gatewaySettings(metadata).namespace));
      entries.set(name, entry);
    } catch (error) {
      const { code, message, step = "compose" } = toBobbinError(error);
      troubles.set(entry, { code, message, step, file });
    }
  }
  const candidates = subgraphs.map((latest) => ({ latest, previous: undefined }));
  for (const [name, { code, message }] of compose([BASE], candidates).rejected) {
    const entry = entries.get(name) ?? name;
    troubles.set(entry, { code, message, step: "compose", file: shown(entry) });
  }
  return troubles;
}

function checkName(name: string, file: string, holder: string | undefined): void {
  const refuse = (problem: string, code: "PLUGIN_INVALID" | "NAME_TAKEN") =>
    new BobbinError(code, `${file}: ${problem}`, { step: "name" });
  if (name === "core") throw refuse("The name core belongs to the core.", "NAME_TAKEN");
  if (holder) throw refuse(`the plugin ${shown(holder)} is named ${name} too`, "PLUGIN_INVALID");
}

function checkRegistration(manifest: Manifest, file: string): void {
  const { name, displayName, description, version, tags, dependencies, metadata } = manifest;
  const fields = { name, displayName, description, version, tags, dependencies, metadata };
  const url = `http://localhost/plugins/${name}/graphql`;
  try {
    register(undefined, { ...fields, url, door: "LOCAL", source: "PLUGIN" }, 0);
  } catch (error) {
    const { message } = toBobbinError(error);
    throw new BobbinError("PLUGIN_INVALID", `${file}: ${message}`, { step: "register", cause: error });
  }
}

function subgraphOf(name: string, sdl: string, namespace: string | null = null): Subgraph {
  return buildSubgraph({ name, sdl, namespace }, async () => ({}));
}
