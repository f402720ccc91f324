/** The options that a command needs which is no server: each is found as `serve` finds its own. */
import { type Config, OPTIONS } from "../config.ts";
import { BobbinError } from "../errors.ts";
import { describeFault, readConfig } from "../read-config.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a server alone has to have free and closed is no matter of such a command. */
const NO_SERVER = { corePort: "0", registryPort: "0", insecure: true };

/** Throws INVALID_INPUT where one of these options is wrong. Other variables of the environment are not looked at. */
export function readSettings<K extends keyof Config>(
  keys: readonly K[],
  flags: { readonly [key in K]?: string | undefined },
  env: Environment,
): Pick<Config, K> {
  const others = Object.entries(NO_SERVER).filter(([key]) => !keys.includes(key as K));
  const given = Object.entries(flags).filter((flag): flag is [string, string] => flag[1] !== undefined);
  const names = keys.flatMap((key) => [OPTIONS[key].env, `BOBBIN_${OPTIONS[key].env}`]);
  const read = readConfig({
    flags: { ...Object.fromEntries(others), ...Object.fromEntries(given) },
    env: Object.fromEntries(names.map((name) => [name, env[name]])),
    terminal: false,
  });
  if ("faults" in read) throw new BobbinError("INVALID_INPUT", read.faults.map(describeFault).join("\n"));
  return read.config;
}
