/**
 * A copy of the registry's database in a new file, from the bobbin that has it open or from its own file, that is known
 * to be whole. Knows where a database is had from; not what the copy is for.
 */
import { BobbinError } from "../../errors.ts";
import { embeddedPath } from "../../registry/embedded-path.ts";
import { open, type Place } from "../api-client.ts";
import { EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import { withProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { copyDatabase, inspect, sync } from "./database-file.ts";

export interface CopyOptions extends Place {
  readonly databaseUrl?: string;
}

/** Where it is from and what is in it. */
export interface Copied {
  readonly from: string;
  readonly services: number;
  readonly bytes: number;
}

const DEADLINE_MS = 10 * 60_000;

/** Writes the database of `path` to `copy`, where there is nothing yet; or why there is no copy that can be used. */
export async function checkedCopy(
  path: string,
  copy: string,
  options: CopyOptions,
  terminal: Terminal,
): Promise<Copied | { readonly refused: Outcome }> {
  const made = await withProgress("copying the database", terminal, () =>
    write(path, copy, options, terminal),
  );
  if ("refused" in made) return made;
  const found = await inspect(copy);
  if ("problem" in found)
    return { refused: failed(`The copy cannot be used, and was removed: ${found.problem}.`) };
  await sync(copy);
  return { ...made, ...found };
}

/** Throws INVALID_INPUT for a remote database, of which there is no file. */
export function pathOf(databaseUrl: string): string {
  const path = embeddedPath(databaseUrl);
  if (path !== undefined) return path;
  throw new BobbinError("INVALID_INPUT", REMOTE);
}

const REMOTE =
  "The registry is in a remote database: back it up, and restore it, with what that database comes with.";

type Written = { readonly from: string } | { readonly refused: Outcome };

/** A server's own database, unless a file is named; without a server its file. */
async function write(path: string, copy: string, options: CopyOptions, terminal: Terminal): Promise<Written> {
  if (options.databaseUrl !== undefined) return copyFile(path, copy);
  const { env } = terminal;
  const answer = await open(
    { door: "registry", place: options, env, path: "/backup", writesTo: null, deadlineMs: DEADLINE_MS },
    async (response) => {
      await Bun.write(copy, response);
      return response.url;
    },
  );
  if ("found" in answer) return { from: `the bobbin at ${new URL(answer.found).origin}` };
  if (answer.isUnreachable && options.registry === undefined && !env.SERVICE_REGISTRY_URL)
    return copyFile(path, copy);
  // The server's database is a remote one.
  if (answer.code === "CONFLICT") return { refused: { ...failed(REMOTE), status: EXITS.usage } };
  return { refused: failed(...answer.refused) };
}

async function copyFile(path: string, copy: string): Promise<Written> {
  const found = await inspect(path);
  if ("services" in found) {
    await copyDatabase(path, copy);
    return { from: path };
  }
  const hint =
    found.kind === "LOCKED" ? "; say with --registry <url> where it is, for it to make the copy" : "";
  return { refused: failed(`Nothing was backed up: ${found.problem}${hint}.`) };
}
