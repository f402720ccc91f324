/**
 * What the hop to a plugin's code costs by itself, without the gateway and HTTP around it. From source, in this process.
 */
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { createLog } from "../../src/log.ts";
import type { Isolation } from "../../src/plugins/define-plugin.ts";
import { Generation } from "../../src/plugins/generation.ts";
import type { HostAbilities } from "../../src/plugins/runner/context.ts";
import { startRunner } from "../../src/plugins/runner/isolation.ts";
import { bundlePlugin } from "../../src/plugins/source/bundle.ts";
import { tempFolder } from "../support/app.ts";
import { writeFiles } from "../support/files.ts";
import { pluginOf200Lines } from "./plugin-source.ts";

const NOTHING: HostAbilities = {
  query: async () => ({}),
  subscribe: async function* () {},
  services: async () => [],
  log: () => {},
};

/** A plugin's code that runs as it is said to; the caller ends it. */
export async function startGeneration(isolation: Isolation): Promise<Generation> {
  await using folder = await tempFolder();
  const text = pluginOf200Lines({ name: "asked", isolation, field: "asked", value: 1 });
  await writeFiles(folder.path, { "asked.ts": text });
  const options = {
    host: NOTHING,
    startRunner,
    limits: { startDeadlineMs: 5_000, callDeadlineMs: 10_000, memoryLimitBytes: 2 ** 30 },
    clock: systemClock,
    log: createLog("silent", "json"),
  };
  const { signal } = new AbortController();
  const bundle = await bundlePlugin(join(folder.path, "asked.ts"));
  const generation = await Generation.load(bundle, options, signal);
  await generation.start({}, signal);
  return generation;
}
