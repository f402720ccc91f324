/**
 * `bobbin backup`: a copy of the registry's database, from the bobbin that has it open or from its file.
 * Knows the order of the steps.
 */
import { rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BobbinError, messageOf } from "../../errors.ts";
import { embeddedPath } from "../../registry/embedded-path.ts";
import { open, type Place } from "../api-client.ts";
import { readSettings } from "../settings.ts";
import { done, EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { size } from "./byte-size.ts";
import { copyDatabase, inspect, sync } from "./database-file.ts";

export interface BackupOptions extends Place {
  readonly databaseUrl?: string;
  readonly force?: boolean;
}

const DEADLINE_MS = 10 * 60_000;

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function backUp(file: string, options: BackupOptions, terminal: Terminal): Promise<Outcome> {
  const { databaseUrl } = readSettings(["databaseUrl"], { databaseUrl: options.databaseUrl }, terminal.env);
  const path = pathOf(databaseUrl);
  if (!options.force && (await stat(file).catch(() => undefined)))
    return failed(`${file} is there already, and stays as it is; --force replaces it.`);
  const part = `${resolve(file)}.part-${crypto.randomUUID().slice(0, 8)}`;
  try {
    const made = await withProgress("copying the database", terminal, () =>
      copy(path, part, options, terminal),
    );
    if ("refused" in made) return { ...failed(...made.refused), status: made.status };
    const found = await inspect(part);
    if ("problem" in found) return failed(`The copy cannot be used, and was removed: ${found.problem}.`);
    await sync(part);
    await rename(part, file);
    await sync(dirname(resolve(file)));
    return done(`backed up ${servicesIn(found)} from ${made.from} to ${file}`);
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    return failed(`${file} cannot be written: ${messageOf(error)}`);
  } finally {
    await rm(part, { force: true });
  }
}

export function servicesIn({ services, bytes }: { services: number; bytes: number }): string {
  return `${services} service${services === 1 ? "" : "s"} (${size(bytes)})`;
}

/** Throws INVALID_INPUT for a remote database, of which there is no file. */
export function pathOf(databaseUrl: string): string {
  const path = embeddedPath(databaseUrl);
  if (path !== undefined) return path;
  throw new BobbinError("INVALID_INPUT", REMOTE);
}

const REMOTE =
  "The registry is in a remote database: back it up, and restore it, with what that database comes with.";

type Made =
  | { readonly from: string }
  | { readonly refused: readonly string[]; readonly status: Outcome["status"] };

/** A server's own database, unless a file is named; without a server its file. */
async function copy(path: string, part: string, options: BackupOptions, terminal: Terminal): Promise<Made> {
  if (options.databaseUrl !== undefined) return copyFile(path, part);
  const { env } = terminal;
  const answer = await open(
    { door: "registry", place: options, env, path: "/backup", writesTo: null, deadlineMs: DEADLINE_MS },
    async (response) => {
      await Bun.write(part, response);
      return response.url;
    },
  );
  if ("found" in answer) return { from: `the bobbin at ${new URL(answer.found).origin}` };
  if (answer.isUnreachable && options.registry === undefined && !env.SERVICE_REGISTRY_URL)
    return copyFile(path, part);
  // The server's database is a remote one.
  if (answer.code === "CONFLICT") return { refused: [REMOTE], status: EXITS.usage };
  return { refused: answer.refused, status: EXITS.no };
}

async function copyFile(path: string, part: string): Promise<Made> {
  const found = await inspect(path);
  if ("services" in found) {
    await copyDatabase(path, part);
    return { from: path };
  }
  const hint =
    found.kind === "LOCKED" ? "; say with --registry <url> where it is, for it to make the copy" : "";
  return { refused: [`Nothing was backed up: ${found.problem}${hint}.`], status: EXITS.no };
}
