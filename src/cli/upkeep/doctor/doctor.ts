/**
 * `bobbin doctor`: whether a server would run here, each thing that it needs with what to do about it.
 * Knows the order of the checks and how they are shown; each check is its own.
 */
import { version } from "../../../version.ts";
import { readSettings } from "../../settings.ts";
import { done, EXITS, type Outcome } from "../../terminal/outcome.ts";
import { withProgress } from "../../terminal/progress.ts";
import { oneLine, table } from "../../terminal/table.ts";
import { colourOf, type Terminal } from "../../terminal/terminal.ts";
import { checkClock } from "./clock.ts";
import { checkDatabase } from "./database.ts";
import type { Finding } from "./finding.ts";
import { checkDisk, checkFiles, checkPlugins, checkTemp } from "./machine.ts";
import { checkPorts } from "./ports.ts";

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function examine(
  flags: { readonly databaseUrl?: string; readonly plugins?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<Outcome> {
  const { env } = terminal;
  const keys = ["host", "gatewayPort", "corePort", "registryPort", "databaseAuthToken", "plugins"] as const;
  const { databaseUrl, plugins } = flags;
  const settings = readSettings([...keys, "databaseUrl"], { databaseUrl, plugins }, env);
  const itself: Finding = {
    check: "version",
    status: "ok",
    message: `bobbin ${version}, Bun ${Bun.version}`,
  };
  const findings = await withProgress("looking", terminal, async () => {
    const { ports, isRunning } = await checkPorts(settings);
    const others = await Promise.all([
      checkDatabase(settings, isRunning, env),
      checkDisk(settings.databaseUrl),
      checkTemp(env),
      checkFiles(),
      checkClock(env),
      checkPlugins(settings.plugins),
    ]);
    return [itself, ...ports, ...others];
  });
  const status = findings.some((each) => each.status === "fail") ? EXITS.no : EXITS.ok;
  if (flags.json) return { ...done(JSON.stringify({ checks: findings }, null, 2)), status };
  const rows = findings.map(({ check, status: state, message }) => [
    { text: state, colour: colourOf(state) },
    check,
    message,
  ]);
  // What is found is the point: it is not cut.
  const [, ...lines] = table(["", "", ""], rows, { ...terminal, columns: undefined });
  const out = lines.flatMap((line, i) => {
    const { advice } = findings[i] ?? {};
    return advice ? [line, `      ${oneLine(advice)}`] : [line];
  });
  return { ...done(...out), status };
}
