/**
 * The command line: commands, flags and help. Knows what can be asked for; not how it is done.
 */
import { Command, Option } from "commander";
import { OPTIONS } from "../config.ts";
import { version } from "../version.ts";

export interface Commands {
  serve: (flags: Record<string, string | boolean>) => Promise<void>;
  createToken: (options: { service?: string; ttl: string }) => Promise<void>;
  /** Called instead of the end of the process: after help or the version with 0, after a wrong word with another. */
  exit: (status: number) => never;
}

const EXAMPLES = `
Examples:
  $ bobbin                                        start with the defaults
  $ bobbin --gateway-port 8080 --plugins ./code   start on another port
  $ JWT_SECRET=… bobbin token create --service payment --ttl 90d
`;

export function createProgram(commands: Commands): Command {
  const program = new Command("bobbin")
    .description("A service registry, health scheduler, GraphQL gateway and plugin host in one binary.")
    .version(version, "-v, --version")
    .configureHelp({ helpWidth: 80 })
    .exitOverride(({ exitCode }) => commands.exit(exitCode))
    .showSuggestionAfterError()
    .addHelpText("after", EXAMPLES)
    .enablePositionalOptions();
  const serve = program.command("serve", { isDefault: true }).description("start the server (the default)");
  for (const option of Object.values(OPTIONS)) {
    if (!option.flag) continue;
    serve.addOption(new Option(option.flag, `${option.help} [${option.env}] (default: ${option.shown})`));
  }
  serve.addHelpText("after", `\nSet by the environment alone:\n${environmentOnly()}`);
  // As the default, it is handed every word that is no command: say so, rather than that it takes no arguments.
  serve.allowExcessArguments();
  serve.action((flags, { args: [word] }) => {
    if (word !== undefined) serve.error(`error: unknown command '${word}' (bobbin --help lists them)`);
    return commands.serve(flags);
  });

  const token = program.command("token").description("tokens for writes");
  token
    .command("create")
    .description("print a token that may write, signed with JWT_SECRET")
    .option("--service <name>", "the one service that it may write (default: all)")
    .option("--ttl <duration>", "how long it is valid: 90d, 12h, 30m, 45s", "90d")
    .action((options) => commands.createToken(options));
  return program;
}

function environmentOnly(): string {
  return Object.values(OPTIONS)
    .filter(({ flag }) => !flag)
    .map(({ env, help, shown }) => `  ${env.padEnd(24)} ${help}\n${" ".repeat(27)}(default: ${shown})`)
    .join("\n");
}
