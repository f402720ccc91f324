/** The broken plugins of test/fixtures, what their README says of each, and how they come into a plugin folder. */
import { chmod, cp, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Isolation } from "../../src/plugins/define-plugin.ts";
import { pluginSource } from "../support/files.ts";

export const FIXTURES = join(import.meta.dir, "../fixtures/broken-plugins");

/** A plugin that is refused, and what is said of it. */
export interface Refused {
  readonly kind: string;
  readonly code: string;
  readonly step: string;
  readonly place: { readonly line?: number; readonly column?: number };
  readonly text: string;
}

export type Outcome = "contained" | "stays" | "blocks" | "ends";

export interface Faulty {
  readonly kind: string;
  readonly outcomes: Readonly<Record<Isolation, Outcome>>;
}

const readme = await Bun.file(join(FIXTURES, "README.md")).text();

/** The cells of every row of a chapter's table. */
function rowsOf(chapter: string): string[][] {
  const [, text = ""] = new RegExp(`^## ${chapter}\n([^]*?)(?=^## |$(?![^]))`, "m").exec(readme) ?? [];
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

export const REFUSED: readonly Refused[] = rowsOf("Refused").map((row) => {
  const [kind = "", , code = "", step = "", place = "", text = ""] = row;
  const [line, column] = place.split(":").map(Number);
  return { kind, code, step, place: line && column ? { line, column } : {}, text };
});

const isGivenUp = ({ text }: Refused) => text.startsWith("did not finish");

/** Those that are refused at once. */
export const PROMPT = REFUSED.filter((refused) => !isGivenUp(refused));

/** Those that are refused when their time is over. */
export const HANGING = REFUSED.filter(isGivenUp);

export const FAULTY: readonly Faulty[] = rowsOf("Broken when asked").map((row) => {
  const [kind = "", , inline, worker, process] = row;
  return { kind, outcomes: { inline, worker, process } as Faulty["outcomes"] };
});

/** The root field of a kind, `hangInSetup` of `hang-in-setup`. */
export const fieldOf = (kind: string): string =>
  kind.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** A plugin of that name that is well, and answers so. */
export const goodSource = (kind: string, answer: string): string => pluginSource(kind, fieldOf(kind), answer);

/** The plugin beside which all others are broken. */
export const BYSTANDER = pluginSource("bystander", "bystander", "yes");

/** Puts a broken plugin into a folder, in the place of what is there. */
export async function putBroken(kind: string, folder: string): Promise<void> {
  const source = join(FIXTURES, `${kind}.ts`);
  if (kind !== "unreadable") return cp(source, join(folder, `${kind}.ts`));
  // It must never be there open.
  const hidden = join(folder, `.${kind}`);
  if (process.getuid?.() === 0) {
    // Root may read everything that can be read.
    await symlink("/proc/self/mem", hidden);
  } else {
    await cp(source, hidden);
    await chmod(hidden, 0);
  }
  await rename(hidden, join(folder, `${kind}.ts`));
}

/** Puts a plugin that is well in the place of one that is not. */
export async function putGood(kind: string, folder: string, answer: string): Promise<void> {
  const path = join(folder, `${kind}.ts`);
  const hidden = join(folder, `.${kind}`);
  await Bun.write(hidden, goodSource(kind, answer));
  await rename(hidden, path);
}

/** The code of a kind, to run with that isolation. */
export async function faultySource(kind: string, isolation: Isolation): Promise<string> {
  const source = await Bun.file(join(FIXTURES, `${kind}.ts`)).text();
  return source.replace('isolation: "worker"', `isolation: "${isolation}"`);
}
