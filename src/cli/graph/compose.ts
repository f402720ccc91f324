/** `bobbin compose --dry-run`: what would become of the running graph with the schema in a file. Decides nothing. */
import { BobbinError } from "../../errors.ts";
import type { SchemaChange } from "../../events.ts";
import { ask, type Place } from "../api-client.ts";
import { readTextFile } from "../argument-values.ts";
import { done, EXITS, failed, type Outcome } from "../terminal/outcome.ts";
import { withProgress } from "../terminal/progress.ts";
import { oneLine } from "../terminal/table.ts";
import { painted, type Terminal } from "../terminal/terminal.ts";
import { told } from "./schema.ts";

export interface ComposeOptions extends Place {
  readonly name?: string;
  readonly json?: boolean;
}

interface Answer {
  readonly composes: boolean;
  readonly kind: string | null;
  readonly isNew: boolean | null;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly changes: { readonly list: readonly SchemaChange[]; readonly more: number } | null;
}

const DEADLINE_MS = 60_000;

/** Throws INVALID_INPUT where the command line or the environment is wrong, or the file cannot be read. */
export async function tryToCompose(
  file: string,
  { name, json, ...place }: ComposeOptions,
  terminal: Terminal,
): Promise<Outcome> {
  const sdl = await readTextFile(file);
  if (sdl.trim() === "") throw new BobbinError("INVALID_INPUT", `${file} is empty.`);
  const answer = await withProgress("composing", terminal, () =>
    ask({
      door: "gateway",
      place,
      env: terminal.env,
      path: "/gateway/compose",
      writesTo: null,
      body: { sdl, ...(name === undefined ? {} : { name }) },
      deadlineMs: DEADLINE_MS,
      find: ({ body }) => (isAnswer(body) ? body : undefined),
    }),
  );
  if ("refused" in answer) return failed(...answer.refused);
  const { found } = answer;
  const status = found.composes ? EXITS.ok : EXITS.no;
  if (json) return { ...done(JSON.stringify(found, null, 2)), status };
  return { ...done(...verdict(file, name, found, terminal), ...changesIn(found, terminal)), status };
}

function verdict(file: string, name: string | undefined, found: Answer, terminal: Terminal): string[] {
  const { composes, kind, isNew, reasons } = found;
  const as = isNew === null ? "" : isNew ? " as a new service" : ` as a new version of ${name}`;
  const speaks = kind === null ? "" : ` (${kind})`;
  if (composes) return [`${painted("composes", "green", terminal)}: ${file}${as}${speaks}`];
  return [
    `${painted("does not compose", "red", terminal)}: ${file}${as}${speaks}`,
    ...reasons.map(({ code, message }) => `  ${oneLine(message)} (${code})`),
  ];
}

function changesIn({ changes }: Answer, terminal: Terminal): string[] {
  if (!changes || changes.list.length === 0) return [];
  return ["", ...told(changes.list, changes.more, false, terminal).out];
}

function isAnswer(body: unknown): body is Answer {
  const { composes, reasons } = (body ?? {}) as Partial<Answer>;
  return typeof composes === "boolean" && Array.isArray(reasons);
}
