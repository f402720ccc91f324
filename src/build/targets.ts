/**
 * The machines that bobbin is built for. Knows how each is called by Bun and by libSQL; nothing of how it is built.
 */
import { familySync, MUSL } from "detect-libc";

export interface Target {
  /** As in the file's name: bobbin-linux-x64. */
  readonly name: string;
  readonly bun: Bun.Build.CompileTarget;
  /** As in the name of the package with libSQL's addon. */
  readonly libsql: string;
  /** Ending of the file's name. */
  readonly suffix: "" | ".exe";
}

export const TARGETS: readonly Target[] = [
  { name: "linux-x64", bun: "bun-linux-x64", libsql: "linux-x64-gnu", suffix: "" },
  { name: "linux-arm64", bun: "bun-linux-arm64", libsql: "linux-arm64-gnu", suffix: "" },
  { name: "linux-x64-musl", bun: "bun-linux-x64-musl", libsql: "linux-x64-musl", suffix: "" },
  { name: "linux-arm64-musl", bun: "bun-linux-arm64-musl", libsql: "linux-arm64-musl", suffix: "" },
  { name: "darwin-x64", bun: "bun-darwin-x64", libsql: "darwin-x64", suffix: "" },
  { name: "darwin-arm64", bun: "bun-darwin-arm64", libsql: "darwin-arm64", suffix: "" },
  { name: "windows-x64", bun: "bun-windows-x64", libsql: "win32-x64-msvc", suffix: ".exe" },
];

/** The machine that builds. */
export function ownTarget(): Target {
  const { platform, arch } = process;
  const system = platform === "win32" ? "windows" : platform;
  const name = `${system}-${arch}${platform === "linux" && familySync() === MUSL ? "-musl" : ""}`;
  const target = TARGETS.find((each) => each.name === name);
  if (!target)
    throw new Error(`bobbin is not built for ${name}: ${TARGETS.map((each) => each.name).join(", ")}`);
  return target;
}
