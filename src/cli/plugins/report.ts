/** Plugins as texts for a terminal. Knows what is said of them; not where it comes from. */
import { table } from "../terminal/table.ts";
import { colourOf, type Terminal } from "../terminal/terminal.ts";
import { type Trouble, troubleLine } from "../terminal/trouble.ts";

/** A plugin as a running bobbin describes it. */
export interface PluginView {
  readonly name: string;
  readonly file: string;
  readonly version: string | null;
  readonly isolation: string | null;
  readonly status: string;
  readonly statusReason: string | null;
  readonly reason: Trouble | null;
}

const HEAD = ["NAME", "STATUS", "ISOLATION", "VERSION", "FILE"];

/** A table, with what is wrong below each plugin that something is wrong with. */
export function pluginTable(plugins: readonly PluginView[], terminal: Terminal): string[] {
  const rows = plugins.map(({ name, status, isolation, version, file }) => [
    name,
    { text: status, colour: colourOf(status) },
    isolation ?? "-",
    version ?? "-",
    file,
  ]);
  const [head = "", ...lines] = table(HEAD, rows, terminal);
  const body = plugins.flatMap(({ reason, statusReason }, index) => {
    const trouble = reason ? troubleLine(reason) : statusReason;
    return [lines[index] ?? "", ...(trouble ? [`  ${trouble}`] : [])];
  });
  return [head, ...body];
}
