/**
 * The command line: commands, flags and help. Knows what can be asked for; not how it is done.
 */
import { Command, Option } from "commander";
import { OPTIONS } from "../config.ts";
import { version } from "../version.ts";
import type { CheckOptions } from "./plugin-check.ts";
import type { ListOptions } from "./plugin-list.ts";
import type { Switch } from "./plugin-switch.ts";

export interface Commands {
  serve: (flags: Record<string, string | boolean>) => Promise<void>;
  createToken: (options: { service?: string; ttl: string }) => Promise<void>;
  newPlugin: (name: string, options: { plugins?: string }) => Promise<void>;
  checkPlugins: (paths: string[], options: CheckOptions) => Promise<void>;
  listPlugins: (options: ListOptions) => Promise<void>;
  switchPlugin: (action: Switch, name: string, options: { gateway?: string }) => Promise<void>;
  /** Called instead of the end of the process: after help or the version with 0, after a wrong word with another. */
  exit: (status: number) => never;
}

const EXAMPLES = `
Examples:
  $ bobbin                                        start with the defaults
  $ bobbin --gateway-port 8080 --plugins ./code   start on another port
  $ JWT_SECRET=… bobbin token create --service payment --ttl 90d
  $ bobbin plugin new greeting                    a plugin to start from, and its test
  $ bobbin plugin check                           whether all plugins load and fit together
`;

const PLUGIN_EXAMPLES = `
Examples:
  $ bobbin plugin new greeting             writes plugins/greeting.ts and its test
  $ bobbin plugin check                    all plugins of the folder, without a server
  $ bobbin plugin check plugins/shop       one of them; exits with 1 if it is refused
  $ bobbin plugin list                     what a running bobbin has, and what is wrong
  $ bobbin plugin reload greeting          loads it anew, and says what came of it
  $ bobbin plugin disable greeting --gateway https://bobbin.example
`;

const CHECK_HELP = `
Each plugin's code runs up to its definition, in a thread or a process of its
own; its setup is not run. Then a graph is composed of those that loaded. Prints
a line for each: ok, or file:line:column: step: what is wrong.

Examples:
  $ bobbin plugin check
  $ bobbin plugin check plugins/time.ts plugins/shop
  $ bobbin plugin check --json | jq '.plugins[] | select(.reason)'
`;

const GATEWAY_OPTION = ["--gateway <url>", "where the running bobbin's gateway is"] as const;

const GATEWAY_HELP = `
Without --gateway it is looked for where HOST and GATEWAY_PORT say, or else on
http://localhost:3000.`;

const WRITE_HELP = `${GATEWAY_HELP}
Where that bobbin wants a token, set BOBBIN_TOKEN to one, or JWT_SECRET to its
secret, of which a token of one minute is made.
`;

const SWITCHES: Record<Switch, string> = {
  enable: "bring a plugin back that was disabled",
  disable: "end a plugin's code, also after a restart; its fields stay, and fail at once",
  reload: "load what is on the disk now, and say what came of it",
};

export function createProgram(commands: Commands): Command {
  const program = new Command("bobbin")
    .description("A service registry, health scheduler, GraphQL gateway and plugin host in one binary.")
    .version(version, "-v, --version")
    .configureHelp({ helpWidth: 80 })
    .exitOverride(({ exitCode }) => commands.exit(exitCode))
    .showSuggestionAfterError()
    .addHelpText("after", EXAMPLES)
    .enablePositionalOptions();
  const optionOf = ({ flag = "", help, env, shown }: (typeof OPTIONS)[keyof typeof OPTIONS]) =>
    new Option(flag, `${help} [${env}] (default: ${shown})`);
  const serve = program.command("serve", { isDefault: true }).description("start the server (the default)");
  for (const option of Object.values(OPTIONS)) if (option.flag) serve.addOption(optionOf(option));
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

  const plugin = program.command("plugin").description("local plugins").addHelpText("after", PLUGIN_EXAMPLES);
  plugin
    .command("new")
    .description("write a plugin to start from, its test, and the types for the editor")
    .argument("<name>", "the plugin's name, such as my-plugin")
    .addOption(optionOf(OPTIONS.plugins))
    .action((name, options) => commands.newPlugin(name, options));
  plugin
    .command("check")
    .description("say whether plugins load and fit together, without a server")
    .argument("[paths...]", "plugins' files, or folders (default: the folder of plugins)")
    .addOption(optionOf(OPTIONS.plugins))
    .option("--json", "print JSON")
    .addHelpText("after", CHECK_HELP)
    .action((paths, options) => commands.checkPlugins(paths, options));
  plugin
    .command("list")
    .description("show the plugins of a running bobbin, and what is wrong with them")
    .option(...GATEWAY_OPTION)
    .option("--json", "print JSON, as GET /plugins answers it")
    .addHelpText(
      "after",
      `${GATEWAY_HELP}\n\nExample:\n  $ bobbin plugin list --gateway https://bobbin.example\n`,
    )
    .action((options) => commands.listPlugins(options));
  for (const [action, description] of Object.entries(SWITCHES) as [Switch, string][]) {
    plugin
      .command(action)
      .description(description)
      .argument("<name>", "the plugin's name")
      .option(...GATEWAY_OPTION)
      .addHelpText("after", `${WRITE_HELP}\nExample:\n  $ bobbin plugin ${action} greeting\n`)
      .action((name, options) => commands.switchPlugin(action, name, options));
  }
  return program;
}

function environmentOnly(): string {
  return Object.values(OPTIONS)
    .filter(({ flag }) => !flag)
    .map(({ env, help, shown }) => `  ${env.padEnd(24)} ${help}\n${" ".repeat(27)}(default: ${shown})`)
    .join("\n");
}
