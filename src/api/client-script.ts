/**
 * The text of GET /client.js, wherever bobbin runs: in the compiled binary as it carries it, in the source tree as it is
 * made there. Knows how it is carried; not what is in it.
 */
import { join } from "node:path";

/** The name of the binary's asset. */
const ASSET = "client.js";

export async function clientScript(): Promise<string> {
  const carried = Bun.file(join(import.meta.dir, ASSET));
  if (await carried.exists()) return carried.text();
  const { clientModule } = await import("../build/client.ts");
  return clientModule();
}
