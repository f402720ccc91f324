/**
 * Reads every option: a flag wins over BOBBIN_<NAME>, which wins over <NAME>. Says what is wrong with each, and which do
 * not go together. Knows neither the command line's parser nor `process`; it is handed the flags and the environment.
 */
import { type Config, OPTIONS, type Option } from "./config.ts";
import { isLoopbackHost } from "./loopback.ts";

/** One wrong value: which option, where it came from or what it does not go with, what it was and what it may be. */
export interface ConfigFault {
  option: string;
  origin: string;
  value: string;
  allowed: string;
}

/** The name under which the command line's parser hands over an option's flag: `--log-level <x>` → `logLevel`. */
function flagKey(flag: string): string {
  const name = flag.slice(2).split(" ")[0] ?? "";
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export interface ConfigInput {
  /** Flags by camel-cased name; only those that were given. */
  flags: Readonly<Record<string, string | boolean>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal. */
  terminal: boolean;
}

/** Reads every option; reports all faults at once rather than the first. */
export function readConfig(input: ConfigInput): { config: Config } | { faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(OPTIONS) as [keyof Config, Option<unknown>][]) {
    const given = lookUp(option, input);
    if (!given) {
      values[key] = option.fallback({ terminal: input.terminal });
      continue;
    }
    const value = option.parse(given.raw);
    if (value === undefined) {
      faults.push({
        option: nameOf(option),
        origin: given.origin,
        value: option.secret ? "(hidden)" : JSON.stringify(withoutSecrets(given.raw)),
        allowed: option.allowed,
      });
    }
    values[key] = value;
  }
  faults.push(...findConflicts(values as Partial<Config>));
  return faults.length > 0 ? { faults } : { config: values as unknown as Config };
}

function nameOf(option: Option<unknown>): string {
  return option.flag?.split(" ")[0] ?? option.env;
}

/** An empty variable counts as not set, as shells and compose files leave them behind. */
function lookUp(
  option: Option<unknown>,
  { flags, env }: ConfigInput,
): { raw: string; origin: string } | undefined {
  const flag = option.flag && flags[flagKey(option.flag)];
  if (flag !== undefined && flag !== "") return { raw: String(flag), origin: "from the command line" };
  for (const name of [`BOBBIN_${option.env}`, option.env]) {
    const raw = env[name];
    if (raw) return { raw, origin: `from the environment (${name})` };
  }
  return undefined;
}

/** Without what may be secret in a URL: user and password, and the parameters, which may be tokens. */
function withoutSecrets(raw: string): string {
  return raw.replace(/\/\/[^/]*@/, "//…@").replace(/\?.*$/s, "?…");
}

/** Faults that no option has alone. Values that are faulty themselves are absent. */
function findConflicts({ host, jwtSecret, insecure, ...config }: Partial<Config>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const seen = new Map<number, string>();
  for (const key of ["gatewayPort", "corePort", "registryPort"] as const) {
    const number = config[key];
    if (!number) continue;
    const option = nameOf(OPTIONS[key]);
    const other = seen.get(number);
    if (other) {
      faults.push({
        option,
        origin: `${other} has it too`,
        value: String(number),
        allowed: "a port of its own for each of the three doors, or 0",
      });
    }
    seen.set(number, option);
  }
  if (host !== undefined && !isLoopbackHost(host) && !jwtSecret && insecure === false) {
    faults.push({
      option: "--host",
      origin: "writes are open, because JWT_SECRET is not set",
      value: JSON.stringify(host),
      allowed: "a loopback address; or set JWT_SECRET; or say --insecure to let anyone on the network write",
    });
  }
  return faults;
}

/** A fault as one line of text. */
export function describeFault({ option, origin, value, allowed }: ConfigFault): string {
  return `${option}: ${value} (${origin}) is not allowed; allowed: ${allowed}`;
}
