/**
 * Installs what the lockfile says, unless that is what is there already. Runs on Node.js alone, before anything else.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Written last, so that a half installed folder has none; npm ci empties the folder first. */
const stamp = `${root}node_modules/.installed`;
const wanted = createHash("sha256")
  .update(readFileSync(`${root}package-lock.json`))
  .update(`${process.platform} ${process.arch}`)
  .digest("hex");

/** Whether npm put everything there itself; it writes down what it has put there when it is done. */
function isThere() {
  const inside = `${root}node_modules/.package-lock.json`;
  if (!existsSync(inside)) return false;
  const { packages: there } = JSON.parse(readFileSync(inside, "utf8"));
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8"));
  return Object.entries(packages).every(
    ([path, { version, optional }]) => path === "" || optional || there[path]?.version === version,
  );
}

const isStamped = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
if (!isStamped && isThere()) writeFileSync(stamp, wanted);
else if (!isStamped) {
  console.log("bobbin: installing what package-lock.json lists …");
  const onWindows = process.platform === "win32";
  const npm = spawn(onWindows ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: "inherit",
    shell: onWindows,
  });
  // Left alone after a Ctrl-C, npm would go on for a while, in the way of the next install.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => npm.kill("SIGKILL"));
  npm.on("error", ({ message }) => fail(`npm could not be started: ${message}`));
  npm.on("exit", (status, signal) => {
    if (status === 0) writeFileSync(stamp, wanted);
    else fail(`npm ci ended with ${status ?? signal}; nothing was started`);
  });
}

function fail(why) {
  console.error(`bobbin: ${why}`);
  process.exit(1);
}
