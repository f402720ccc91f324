/**
 * Whether an editor finds "bobbin" from a plugin folder by the tsconfig.json that counts there. Knows tsconfig.json;
 * not what "bobbin" is.
 */
import { dirname, join } from "node:path";

/**
 * `NONE`: there is none that counts, and the folder itself has none. `MAPPED`: one in or above the folder says where
 * "bobbin" is. `OTHER`: the folder has one of its own that does not.
 */
export type TsconfigState = "NONE" | "MAPPED" | "OTHER";

/** `folder`: an absolute path. */
export async function tsconfigState(folder: string): Promise<TsconfigState> {
  for (let at = folder; ; at = dirname(at)) {
    const file = Bun.file(join(at, "tsconfig.json"));
    if (await file.exists()) {
      if (mapsBobbin(await file.text())) return "MAPPED";
      return at === folder ? "OTHER" : "NONE";
    }
    if (at === dirname(at)) return "NONE";
  }
}

function mapsBobbin(text: string): boolean {
  try {
    const { extends: base, compilerOptions } = Bun.JSONC.parse(text) as {
      extends?: string | string[];
      compilerOptions?: { paths?: Record<string, unknown> };
    };
    const bases = [base ?? []].flat();
    return compilerOptions?.paths?.bobbin !== undefined || bases.some((path) => path.includes(".bobbin/"));
  } catch {
    // What cannot be read maps nothing.
    return false;
  }
}
