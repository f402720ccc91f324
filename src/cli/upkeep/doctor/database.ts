/** Whether the registry's database is there, whole, and to be written. Knows databases; nothing of what is kept. */
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { messageOf } from "../../../errors.ts";
import { embeddedPath } from "../../../registry/embedded-path.ts";
import type { Environment } from "../../settings.ts";
import { size } from "../byte-size.ts";
import { inspect } from "../database-file.ts";
import type { Finding } from "./finding.ts";
import { existing } from "./machine.ts";
import { registryHealth } from "./registry-health.ts";

interface Settings {
  readonly databaseUrl: string;
  readonly databaseAuthToken: string | undefined;
}

const check = "database";
const DEADLINE_MS = 3_000;
const RESTORE = "Restore a backup: bobbin restore FILE; the file that is there is kept.";

/** `isRunning`: a bobbin answers at these ports, and so may have it open. */
export async function checkDatabase(
  settings: Settings,
  isRunning: boolean,
  env: Environment,
): Promise<Finding> {
  const path = embeddedPath(settings.databaseUrl);
  if (path === undefined) return checkRemote(settings);
  const found = await inspect(path);
  if (!("problem" in found)) {
    const message = `${path} is whole, ${size(found.bytes)}, ${found.services} services`;
    return (await isWritable(path)) ? { check, status: "ok", message } : notWritable(path);
  }
  const { kind, problem } = found;
  if (kind === "MISSING") {
    const folder = await existing(dirname(resolve(path)));
    if (!(await isWritable(folder))) return notWritable(folder);
    return { check, status: "ok", message: `${path} is not there; the first start makes it` };
  }
  if (kind === "LOCKED") return inUse(path, isRunning, env);
  const advice =
    kind === "BROKEN" ? RESTORE : "Name another with --database-url, or use the bobbin that wrote it.";
  return { check, status: "fail", message: problem, advice };
}

async function inUse(path: string, isRunning: boolean, env: Environment): Promise<Finding> {
  const { size: bytes } = await stat(path);
  const message = `${path}, ${size(bytes)}, is open in a running bobbin`;
  if (!isRunning) {
    const advice = "Only one can have it: end that one, or say by GATEWAY_PORT and the others where it is.";
    return { check, status: "warn", message, advice };
  }
  const health = await registryHealth(env);
  if (!health || health.database === "ok") return { check, status: "ok", message };
  const advice = "Its log says why; writes are refused until it is back.";
  return { check, status: "fail", message: `${message}, which cannot use it`, advice };
}

async function checkRemote({ databaseUrl, databaseAuthToken }: Settings): Promise<Finding> {
  const where = databaseUrl.replace(/\/\/[^/]*@/, "//…@").replace(/\?.*$/s, "");
  const { createClient } = await import("@libsql/client");
  const authToken = databaseAuthToken ? { authToken: databaseAuthToken } : {};
  const withDeadline = (request: Request) => fetch(request, { signal: AbortSignal.timeout(DEADLINE_MS) });
  try {
    const client = createClient({ url: databaseUrl, ...authToken, fetch: withDeadline });
    await client.execute("SELECT 1");
    client.close();
    return { check, status: "ok", message: `${where} answers` };
  } catch (error) {
    const advice = "Look at DATABASE_URL and DATABASE_AUTH_TOKEN, and whether it runs.";
    return { check, status: "fail", message: `${where}: ${messageOf(error)}`, advice };
  }
}

function notWritable(path: string): Finding {
  const advice = "Let the user that bobbin runs as write it, or name another with --database-url.";
  return { check, status: "fail", message: `${path} cannot be written`, advice };
}

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
