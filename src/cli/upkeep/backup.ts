/**
 * `bobbin backup`: a copy of the registry's database where it is wanted, a file or standard output.
 * Knows the order of the steps; not how the copy is made.
 */
import { mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { BobbinError, messageOf } from "../../errors.ts";
import { readSettings } from "../settings.ts";
import { done, failed, type Outcome } from "../terminal/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { size } from "./byte-size.ts";
import { type CopyOptions, checkedCopy, pathOf } from "./checked-copy.ts";
import { sync } from "./database-file.ts";

export interface BackupOptions extends CopyOptions {
  readonly force?: boolean;
}

const STANDARD_OUTPUT = "-";

/** Throws INVALID_INPUT where the command line or the environment is wrong. */
export async function backUp(file: string, options: BackupOptions, terminal: Terminal): Promise<Outcome> {
  const { databaseUrl } = readSettings(["databaseUrl"], { databaseUrl: options.databaseUrl }, terminal.env);
  const path = pathOf(databaseUrl);
  const toOutput = file === STANDARD_OUTPUT;
  return toOutput ? pour(path, options, terminal) : keep(path, file, options, terminal);
}

export function servicesIn({ services, bytes }: { services: number; bytes: number }): string {
  return `${services} service${services === 1 ? "" : "s"} (${size(bytes)})`;
}

async function keep(
  path: string,
  file: string,
  options: BackupOptions,
  terminal: Terminal,
): Promise<Outcome> {
  if (!options.force && (await stat(file).catch(() => undefined)))
    return failed(`${file} is there already, and stays as it is; --force replaces it.`);
  const part = `${resolve(file)}.part-${crypto.randomUUID().slice(0, 8)}`;
  try {
    const copied = await checkedCopy(path, part, options, terminal);
    if ("refused" in copied) return copied.refused;
    await rename(part, file);
    await sync(dirname(resolve(file)));
    return done(`backed up ${servicesIn(copied)} from ${copied.from} to ${file}`);
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    return failed(`${file} cannot be written: ${messageOf(error)}`);
  } finally {
    await rm(part, { force: true });
  }
}

/** What is sent cannot be taken back: the copy is whole, in a folder that others cannot read, before any of it is. */
async function pour(path: string, options: BackupOptions, terminal: Terminal): Promise<Outcome> {
  if (terminal.columns !== undefined)
    throw new BobbinError(
      "INVALID_INPUT",
      "A database is nothing for a terminal: name a file, or send standard output elsewhere with > or |.",
    );
  let folder: string | undefined;
  try {
    folder = await mkdtemp(join(tmpdir(), "bobbin-backup-"));
    const copy = join(folder, "copy.db");
    const copied = await checkedCopy(path, copy, options, terminal);
    if ("refused" in copied) return copied.refused;
    await terminal.printFile(copy);
    return { ...done(), err: [`backed up ${servicesIn(copied)} from ${copied.from} to standard output`] };
  } catch (error) {
    if (error instanceof BobbinError) throw error;
    return failed(`The backup is not whole: ${messageOf(error)}`);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}
