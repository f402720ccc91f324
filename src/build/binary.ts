/**
 * `npm run build`: dist/bobbin for this machine, with the types for editors and the client's one module in it, and
 * dist/client. `npm run build -- --all`: dist/release with a binary for every target, their SHA-256 sums, and a list of
 * the packages that are in them (CycloneDX).
 */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeAsset } from "../plugins/editor/files.ts";
import { addonFor } from "./addon.ts";
import { buildClient } from "./client.ts";
import { compileBinary } from "./compile.ts";
import { ownTarget, TARGETS, type Target } from "./targets.ts";

const RELEASE = "dist/release";
const ADDONS = resolve("dist/addons");

const { values } = parseArgs({ options: { all: { type: "boolean", default: false } } });
const assets = [await writeAsset("dist"), await buildClient("dist/client")];
if (values.all) await release();
else await compile(ownTarget(), "dist/bobbin");

async function compile(target: Target, outfile: string): Promise<string> {
  await compileBinary(target, { outfile, addon: await addonFor(target.libsql, ADDONS), assets });
  return outfile;
}

async function release(): Promise<void> {
  await rm(RELEASE, { recursive: true, force: true });
  await mkdir(RELEASE, { recursive: true });
  const files: string[] = [];
  for (const target of TARGETS)
    files.push(await compile(target, join(RELEASE, `bobbin-${target.name}${target.suffix}`)));
  files.push(await writePackageList(join(RELEASE, "bobbin.cdx.json")));
  const lines = await Promise.all(files.map(async (file) => `${await sha256(file)}  ${basename(file)}\n`));
  await Bun.write(join(RELEASE, "SHA256SUMS"), lines.join(""));
}

async function writePackageList(file: string): Promise<string> {
  const list = Bun.$`npm sbom --sbom-format cyclonedx --package-lock-only --omit dev`;
  await Bun.write(file, await list.quiet().text());
  return file;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of Bun.file(file).stream()) hash.update(chunk);
  return hash.digest("hex");
}
