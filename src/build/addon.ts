/**
 * libSQL's addon for a machine other than the one that builds: fetched from the package registry, in the version and
 * with the checksum that package-lock.json names. Knows npm; nothing of what is built with it.
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lockfile from "../../package-lock.json" with { type: "json" };

const ROOT = join(import.meta.dir, "../..");

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
}

/** The path of the addon for a target, under `folder` where it is not installed. Throws where it cannot be had. */
export async function addonFor(target: string, folder: string): Promise<string> {
  const name = `@libsql/${target}`;
  const installed = join(ROOT, "node_modules", name, "index.node");
  if (await Bun.file(installed).exists()) return installed;
  const { version, integrity } = (lockfile.packages as Record<string, Locked>)[`node_modules/${name}`] ?? {};
  if (!version || !integrity) throw new Error(`package-lock.json does not name ${name}`);
  const addon = join(folder, `${target}-${version}.node`);
  if (await Bun.file(addon).exists()) return addon;
  const scratch = await mkdtemp(join(tmpdir(), "bobbin-addon-"));
  try {
    const packed = await Bun.$`npm pack ${`${name}@${version}`} --json`.cwd(scratch).quiet().json();
    const tarball = join(scratch, packed[0].filename);
    const bytes = await Bun.file(tarball).bytes();
    const digest = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    if (digest !== integrity)
      throw new Error(`${name}@${version} is not what package-lock.json names: ${digest}`);
    await Bun.$`tar -xzf ${tarball} -C ${scratch} package/index.node`.quiet();
    await Bun.write(addon, Bun.file(join(scratch, "package/index.node")));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return addon;
}
