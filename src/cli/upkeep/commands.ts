/** The commands about the machine and the database: words, flags and help. Knows what can be asked for; not how it is done. */
import { Argument, type Command, Option } from "commander";
import { OPTIONS } from "../../config.ts";
import { explain } from "../help.ts";
import { JSON_OPTION, REGISTRY_HELP, REGISTRY_OPTION, TOKEN_HELP, TOKEN_OPTION } from "../options.ts";
import type { Run } from "../run-command.ts";

export function addUpkeepCommands(program: Command, run: Run): void {
  program.commandsGroup("Upkeep:");
  explain(program.command("doctor"), {
    examples: ["bobbin doctor", "bobbin doctor --json | jq '.checks[] | select(.status != \"ok\")'"],
    more: `Looks at ports, database, disk, temporary folder, open files, clock and plugins,
as a server that is started here and now would find them.`,
    ok: "nothing is in the way, though there may be warnings",
    no: "something is in the way",
  })
    .description("say whether bobbin can run here, and what to do where not")
    .addOption(option("databaseUrl"))
    .addOption(option("plugins"))
    .option(...JSON_OPTION)
    .action((options) =>
      run(async (terminal) => (await import("./doctor/doctor.ts")).examine(options, terminal)),
    );
  explain(program.command("backup"), {
    examples: [
      ["bobbin backup bobbin-$(date +%F).db", "while it runs, or not"],
      ["bobbin backup - | ssh other 'cat > bobbin.db'", "to standard output"],
      "bobbin backup copy.db --database-url file:/var/lib/bobbin/bobbin.db",
    ],
    more: `The running bobbin makes the copy, and goes on; where none runs, or with
--database-url, the file is copied. The copy is checked before it counts; for
standard output it is made in the temporary folder (TMPDIR) first.
A remote database is not backed up by this.

${REGISTRY_HELP}
${TOKEN_HELP}`,
    no: "there is no copy",
    usage: "the command line is wrong, or the database is a remote one",
  })
    .description("write a copy of the registry's database")
    .argument("<file>", "where to; - is standard output")
    .option("--force", "replace the file if it is there")
    .addOption(option("databaseUrl"))
    .option(...REGISTRY_OPTION)
    .option(...TOKEN_OPTION)
    .action((file: string, options) =>
      run(async (terminal) => (await import("./backup.ts")).backUp(file, options, terminal)),
    );
  explain(program.command("restore"), {
    examples: [
      "bobbin restore bobbin-2026-01-31.db",
      "bobbin restore copy.db --database-url file:/var/lib/bobbin/bobbin.db",
    ],
    more: `Only while no bobbin has the database open. What was there before is kept beside
it, under a name with .before-restore- and the time.`,
    no: "nothing was restored, and the database is as it was",
    usage: "the command line is wrong, or the database is a remote one",
  })
    .description("put a backup in the place of the registry's database")
    .argument("<file>", "a backup")
    .addOption(option("databaseUrl"))
    .action((file: string, options) =>
      run(async (terminal) => (await import("./restore.ts")).restore(file, options, terminal)),
    );
  explain(program.command("completion"), {
    examples: [
      ["source <(bobbin completion bash)", "in ~/.bashrc"],
      ["source <(bobbin completion zsh)", "in ~/.zshrc, after compinit"],
      ["bobbin completion fish | source", "in ~/.config/fish/config.fish"],
    ],
    ok: "the script is on standard output",
    no: "it could not be written",
  })
    .description("print what a shell needs to complete bobbin's commands and flags")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .action((shell: (typeof SHELLS)[number]) =>
      run(async () => (await import("./completion.ts")).completion(program, shell)),
    );
}

const SHELLS = ["bash", "zsh", "fish"] as const;

function option(key: "databaseUrl" | "plugins"): Option {
  const { flag = "", help, env, shown } = OPTIONS[key];
  return new Option(flag, `${help} [${env}] (default: ${shown})`);
}
