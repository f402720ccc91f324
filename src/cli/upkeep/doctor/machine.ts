/** What a server needs of the machine: disk, a temporary folder, open files, plugins. Knows files and limits only. */
import { access, constants, mkdtemp, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "../../../errors.ts";
import { findEntries } from "../../../plugins/source/entries.ts";
import { embeddedPath } from "../../../registry/embedded-path.ts";
import type { Environment } from "../../settings.ts";
import { size } from "../byte-size.ts";
import type { Finding } from "./finding.ts";

const MB = 2 ** 20;
const LEAST_BYTES = 64 * MB;
const AMPLE_BYTES = 1024 * MB;

export async function checkDisk(databaseUrl: string): Promise<Finding> {
  const check = "disk";
  // Of a remote database only the last composed set is here.
  const folder = await existing(resolve(dirname(embeddedPath(databaseUrl) ?? "./data/x")));
  const { bavail, bsize } = await statfs(folder);
  const message = `${size(bavail * bsize)} free at ${folder}`;
  if (bavail * bsize >= AMPLE_BYTES) return { check, status: "ok", message };
  const advice = "Make room, or keep the database elsewhere with --database-url.";
  return { check, status: bavail * bsize < LEAST_BYTES ? "fail" : "warn", message, advice };
}

/** The folder, or the nearest above it that is there. */
export async function existing(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : existing(dirname(folder));
}

/** The binary unpacks native code there when it starts to serve. */
export async function checkTemp(env: Environment): Promise<Finding> {
  const check = "temp folder";
  const folder = env.BUN_TMPDIR || tmpdir();
  const advice = "Set BUN_TMPDIR to a folder where files can be written and executed.";
  let own: string | undefined;
  try {
    own = await mkdtemp(join(folder, "bobbin-doctor-"));
    const file = join(own, "probe");
    await writeFile(file, "", { mode: 0o700 });
    await access(file, constants.X_OK);
    return { check, status: "ok", message: `${folder} can be written, and what is there executed` };
  } catch (error) {
    const problem = own ? "what is there cannot be executed" : "it cannot be written";
    return { check, status: "fail", message: `${folder}: ${problem} (${codeOf(error)})`, advice };
  } finally {
    if (own) await rm(own, { recursive: true, force: true });
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? messageOf(error);

/** Streams, subscriptions and connections of services and clients, as many as there may be. */
const AMPLE_FILES = 8_192;
const LEAST_FILES = 256;

export async function checkFiles(): Promise<Finding> {
  const check = "open files";
  const limit = await fileLimit();
  if (limit === undefined) return { check, status: "ok", message: "this system does not tell its limit" };
  const message = Number.isFinite(limit) ? `${limit} at once` : "no limit";
  if (limit >= AMPLE_FILES) return { check, status: "ok", message };
  const advice = `Raise it to ${AMPLE_FILES}: ulimit -n ${AMPLE_FILES}, or LimitNOFILE= of its unit.`;
  return { check, status: limit < LEAST_FILES ? "fail" : "warn", message, advice };
}

/** Of this process, which has what a server would have. */
async function fileLimit(): Promise<number | undefined> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => undefined);
  const text = limits ? /^Max open files\s+(\S+)/m.exec(limits)?.[1] : await ulimit().catch(() => undefined);
  if (text === undefined) return undefined;
  return text === "unlimited" ? Number.POSITIVE_INFINITY : Number(text);
}

async function ulimit(): Promise<string> {
  const shell = Bun.spawn(["sh", "-c", "ulimit -n"], { stdout: "pipe", stderr: "ignore" });
  return (await new Response(shell.stdout).text()).trim();
}

export async function checkPlugins(folder: string): Promise<Finding> {
  const check = "plugins";
  try {
    await readdir(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT")
      return { check, status: "ok", message: `${folder} is not there; it is watched for` };
    const advice = "Let this user read it, or name another with --plugins.";
    return { check, status: "fail", message: `${folder} cannot be read (${codeOf(error)})`, advice };
  }
  const { length } = await findEntries(folder);
  return { check, status: "ok", message: `${length} in ${folder}` };
}
