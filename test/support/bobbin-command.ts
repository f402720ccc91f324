/** The compiled binary as the operator of one running bobbin uses it: every command finds its doors by the environment. */
import { BINARY, type RunningBinary } from "./app.ts";
import { type Run, run } from "./command.ts";

/** The variables by which commands find it. */
export function placeOf({ urls }: Pick<RunningBinary, "urls">): Record<string, string> {
  const port = (url: string) => new URL(url).port;
  return {
    GATEWAY_PORT: port(urls.gateway),
    CORE_PORT: port(urls.core),
    SERVICE_REGISTRY_PORT: port(urls.registry),
  };
}

export type Command = (args: readonly string[], env?: Record<string, string>) => Promise<Run>;

export function commandFor(bobbin: Pick<RunningBinary, "urls" | "folder">): Command {
  return (args, env = {}) => run(args, { folder: bobbin.folder, env: { ...placeOf(bobbin), ...env } });
}

/** What it prints on a terminal of this width, standard error among it. */
export async function onTerminal(
  args: readonly string[],
  columns: number,
  env: Record<string, string>,
): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([BINARY, ...args], {
    env: { PATH: process.env.PATH ?? "", TERM: "xterm", ...env },
    terminal: {
      cols: columns,
      rows: 24,
      data(_terminal, chunk) {
        text += decoder.decode(chunk, { stream: true });
      },
    },
  });
  await child.exited;
  return text;
}
