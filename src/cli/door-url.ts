/**
 * Where the doors of the running bobbin are: as a flag says, else as the variables say by which a server finds its own
 * ports. Knows the names of both; asks nobody.
 */
import { BobbinError } from "../errors.ts";
import type { DoorName } from "../http.ts";
import { type Environment, readSettings } from "./settings.ts";

const PORTS = { gateway: "gatewayPort", core: "corePort", registry: "registryPort" } as const;
const PORT_VARIABLES = {
  gateway: "GATEWAY_PORT",
  core: "CORE_PORT",
  registry: "SERVICE_REGISTRY_PORT",
} as const;
const EXAMPLES = {
  gateway: "http://localhost:3000",
  core: "http://localhost:3001",
  registry: "http://localhost:3999",
} as const;

/** The base URL without a slash at its end. Throws INVALID_INPUT where it cannot be said. */
export function doorUrl(door: DoorName, flag: string | undefined, env: Environment): string {
  if (flag !== undefined) return checked(`--${door}`, flag, door);
  if (door === "registry") {
    const given = env.BOBBIN_SERVICE_REGISTRY_URL || env.SERVICE_REGISTRY_URL;
    if (given) return checked("SERVICE_REGISTRY_URL", given, door);
  }
  const key = PORTS[door];
  const { host, [key]: port } = readSettings(["host", key], {}, env);
  if (port === 0) throw refuse(`${PORT_VARIABLES[door]} is 0: say with --${door} <url> which port was taken`);
  return `http://${reachable(host)}:${port}`;
}

/** A host that is listened on, as it is written in a URL. */
export function reachable(host: string): string {
  const address = /^(0\.0\.0\.0|\[?::\]?)$/.test(host) ? "localhost" : host;
  return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}

function checked(source: string, text: string, door: DoorName): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return text.replace(/\/+$/, "");
  throw refuse(`${source} ${text}: give the URL of a running bobbin, such as ${EXAMPLES[door]}`);
}

function refuse(message: string): BobbinError {
  return new BobbinError("INVALID_INPUT", message);
}
