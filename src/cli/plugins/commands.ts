/** `bobbin plugin …`: words, flags and help. Knows what can be asked for; not how it is done. */
import { type Command, Option } from "commander";
import { OPTIONS } from "../../config.ts";
import { explain } from "../help.ts";
import { GATEWAY_HELP, GATEWAY_OPTION, JSON_OPTION, TOKEN_HELP, TOKEN_OPTION } from "../options.ts";
import type { Run } from "../run-command.ts";
import { done } from "../terminal/outcome.ts";
import type { Switch } from "./switch.ts";

const CHECK_HELP = `Each plugin's code runs up to its definition, in a thread or a process of its
own; its setup is not run. Then a graph is composed of those that loaded. Prints
a line for each: ok, or file:line:column: step: what is wrong.`;

const SWITCHES: Record<Switch, string> = {
  enable: "bring a plugin back that was disabled",
  disable: "end a plugin's code, also after a restart; its fields stay, and fail at once",
  reload: "load what is on the disk now, and say what came of it",
};

export function addPluginCommands(program: Command, run: Run): void {
  const plugin = explain(program.command("plugin").description("local plugins"), {
    examples: [
      ["bobbin plugin new greeting", "writes plugins/greeting.ts and its test"],
      ["bobbin plugin check", "all of the folder, without a server"],
      ["bobbin plugin check plugins/shop", "one of them; exits with 1 if refused"],
      ["bobbin plugin list", "what runs, and what is wrong"],
      ["bobbin plugin reload greeting", "loads it anew, and says what came of it"],
      "bobbin plugin disable greeting --gateway https://bobbin.example",
    ],
  });
  const folder = () => {
    const { flag = "", help, env, shown } = OPTIONS.plugins;
    return new Option(flag, `${help} [${env}] (default: ${shown})`);
  };
  explain(plugin.command("new"), {
    examples: ["bobbin plugin new greeting", "bobbin plugin new greeting --plugins ./code"],
    no: "the files are there already, or cannot be written",
  })
    .description("write a plugin to start from, its test, and the types for the editor")
    .argument("<name>", "the plugin's name, such as my-plugin")
    .addOption(folder())
    .action((name: string, flags: { plugins?: string }) =>
      run(async ({ env }) => {
        const { newPlugin } = await import("./new.ts");
        const { readSettings } = await import("../settings.ts");
        return done(await newPlugin(name, readSettings(["plugins"], flags, env).plugins));
      }),
    );
  explain(plugin.command("check"), {
    examples: [
      "bobbin plugin check",
      "bobbin plugin check plugins/time.ts plugins/shop",
      "bobbin plugin check --json | jq '.plugins[] | select(.reason)'",
    ],
    more: CHECK_HELP,
    ok: "all of them load and go together",
    no: "one of them is refused",
  })
    .description("say whether plugins load and fit together, without a server")
    .argument("[paths...]", "plugins' files, or folders (default: the folder of plugins)")
    .addOption(folder())
    .option(...JSON_OPTION)
    .action((paths: string[], options) =>
      run(async (terminal) => (await import("./check.ts")).checkPlugins(paths, options, terminal)),
    );
  explain(plugin.command("list"), {
    examples: ["bobbin plugin list", "bobbin plugin list --gateway https://bobbin.example"],
    more: GATEWAY_HELP,
    no: "bobbin cannot be reached, or refuses",
  })
    .description("show the plugins of a running bobbin, and what is wrong with them")
    .option(...GATEWAY_OPTION)
    .option("--json", "print JSON, as GET /plugins answers it")
    .action((options) => run(async (terminal) => (await import("./list.ts")).listPlugins(options, terminal)));
  for (const [action, description] of Object.entries(SWITCHES) as [Switch, string][]) {
    explain(plugin.command(action), {
      examples: [`bobbin plugin ${action} greeting`],
      more: `${GATEWAY_HELP}\n${TOKEN_HELP}`,
      no: "bobbin cannot be reached, or refuses",
    })
      .description(description)
      .argument("<name>", "the plugin's name")
      .option(...GATEWAY_OPTION)
      .option(...TOKEN_OPTION)
      .action((name: string, options) =>
        run(async (terminal) => {
          const { switchPlugin } = await import("./switch.ts");
          return switchPlugin(action, name, options, terminal);
        }),
      );
  }
}
