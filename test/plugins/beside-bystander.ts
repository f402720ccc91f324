/** The binary with plugins that go wrong, beside one that is well; deadlines and limits are short. */
import { type BinaryOptions, type RunningBinary, startBinary } from "../support/app.ts";
import { get } from "../support/client.ts";
import { BYSTANDER } from "./broken-plugins.ts";
import { folderWith } from "./folder-with.ts";

const ENV = { PLUGIN_CALL_TIMEOUT: "1.5", PLUGIN_MEMORY: "128" };
/** TEST_FULL: in processes too. */
export const ISOLATIONS: readonly ("worker" | "process")[] = process.env.TEST_FULL
  ? ["worker", "process"]
  : ["worker"];

/** The binary with these plugins and one that is well. */
export async function startWith(
  sources: Readonly<Record<string, string>>,
  options: BinaryOptions = {},
): Promise<RunningBinary> {
  const files = Object.entries(sources).map(([name, source]) => [`${name}.ts`, source]);
  const folder = await folderWith({ "bystander.ts": BYSTANDER, ...Object.fromEntries(files) });
  const bobbin = await startBinary({ folder: folder.path, env: ENV, ...options });
  return {
    ...bobbin,
    async [Symbol.asyncDispose]() {
      await bobbin[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A plugin named `a` with this query type and these resolvers. */
export const plugin = (fields: string, resolvers: string, isolation = "worker") => `
  import { definePlugin } from "bobbin";
  export default definePlugin({
    name: "a", version: "1.0.0", isolation: "${isolation}",
    typeDefs: "type Query { ${fields} }",
    resolvers: { Query: { ${resolvers} } },
  });`;

export const crashesIn = ({ lines }: RunningBinary) =>
  lines.filter(({ msg }) => String(msg).startsWith("plugin crashed"));

export const serviceOf = async ({ urls }: RunningBinary, name: string) =>
  (await get(`${urls.registry}/services/${name}`)).body;
