/** The commands about services: words, flags and help. Knows what can be asked for; not how it is done. */
import { Argument, type Command } from "commander";
import { explain } from "../help.ts";
import {
  CORE_HELP,
  CORE_OPTION,
  GATEWAY_HELP,
  GATEWAY_OPTION,
  JSON_OPTION,
  REGISTRY_HELP,
  REGISTRY_OPTION,
  TOKEN_HELP,
  TOKEN_OPTION,
} from "../options.ts";
import type { Run } from "../run-command.ts";

const UNREACHED = "bobbin cannot be reached, or refuses";

export function addServiceCommands(program: Command, run: Run): void {
  program.commandsGroup("Services:");
  explain(program.command("services"), {
    examples: [
      ["bobbin services", "all of them"],
      ["bobbin services payment", "all of one, with its instances"],
      "bobbin services --json | jq -r '.services[].serviceName'",
    ],
    more: REGISTRY_HELP,
    no: `there is none of this name, or ${UNREACHED}`,
  })
    .description("show what is registered")
    .argument("[name]", "one service")
    .option(...REGISTRY_OPTION)
    .option(...JSON_OPTION)
    .action((name: string | undefined, options) =>
      run(async (terminal) => (await import("./services.ts")).showServices(name, options, terminal)),
    );
  explain(program.command("register"), {
    examples: [
      "bobbin register payment http://10.0.0.7:3002 --graphql /graphql",
      "bobbin register payment http://10.0.0.7:3002 --health /health --ttl 30",
      'bobbin register mailer http://10.0.0.8:80 --metadata \'{"team":"post"}\'',
    ],
    more: `Registering again is safe: what is named is replaced, the rest is left; but
--graphql and --metadata together are all of the service's metadata.

${REGISTRY_HELP}
${TOKEN_HELP}`,
    no: UNREACHED,
  })
    .description("register a service, or an instance of it")
    .argument("<name>", "the service's name")
    .argument("<url>", "the instance's base URL")
    .option("--graphql <path>", "where its GraphQL is, a path or a URL: makes it part of the graph")
    .option("--health <path>", "where it says that it is well, a path or a URL")
    .option("--version <version>", "its version")
    .option("--ttl <seconds>", "how long the registration holds unless it is renewed")
    .option("--metadata <json>", "whatever else is to be known of it, as a JSON object")
    .option(...REGISTRY_OPTION)
    .option(...TOKEN_OPTION)
    .action((name: string, url: string, options) =>
      run(async (terminal) => (await import("./register.ts")).registerService(name, url, options, terminal)),
    );
  explain(program.command("unregister"), {
    examples: [
      ["bobbin unregister payment", "the service, with all instances"],
      "bobbin unregister payment --url http://10.0.0.7:3002",
    ],
    more: `${REGISTRY_HELP}\n${TOKEN_HELP}`,
    no: `it is not registered, or ${UNREACHED}`,
  })
    .description("remove a service, or one instance of it")
    .argument("<name>", "the service's name")
    .option("--url <url>", "only the instance at this URL")
    .option(...REGISTRY_OPTION)
    .option(...TOKEN_OPTION)
    .action((name: string, options) =>
      run(async (terminal) => (await import("./register.ts")).unregisterService(name, options, terminal)),
    );
  explain(program.command("maintenance"), {
    examples: [
      ["bobbin maintenance on payment", "no requests, no probes; its fields fail fast"],
      ["bobbin maintenance off payment", "back again"],
    ],
    more: `${CORE_HELP}\n${TOKEN_HELP}`,
    no: `it is not registered, or ${UNREACHED}`,
  })
    .description("take a service out of traffic, or bring it back")
    .addArgument(new Argument("<state>", "which of the two").choices(["on", "off"]))
    .argument("<name>", "the service's name")
    .option(...CORE_OPTION)
    .option(...TOKEN_OPTION)
    .action((state: "on" | "off", name: string, options) =>
      run(async (terminal) =>
        (await import("./maintenance.ts")).setMaintenance(state, name, options, terminal),
      ),
    );
  explain(program.command("watch"), {
    examples: [
      "bobbin watch",
      "bobbin watch --service payment",
      "bobbin watch --json | jq 'select(.type == \"STATUS\")'",
    ],
    more: `One line for each event, until Ctrl-C. Connects again by itself, and goes on
where it was. With --json each line is a JSON document.

${REGISTRY_HELP}`,
    ok: "it was interrupted",
    no: UNREACHED,
  })
    .description("print what happens to services, as it happens")
    .option("--service <name>", "what happens to one service only")
    .option(...REGISTRY_OPTION)
    .option("--json", "print JSON, one document in each line")
    .action((options) =>
      run(async (terminal) => (await import("./watch.ts")).watchEvents(options, terminal)),
    );
  explain(program.command("health"), {
    examples: [
      "bobbin health",
      "bobbin health --service payment && ./deploy.sh",
      "until bobbin health >/dev/null 2>&1; do sleep 1; done",
    ],
    more: GATEWAY_HELP,
    ok: "every required service, or the one that is named, gets requests",
    no: "a required service, or the one that is named, gets none",
    usage: "bobbin cannot be reached, or the command line is wrong",
  })
    .description("say whether services are well, by the exit status too")
    .option("--service <name>", "one service only")
    .option(...GATEWAY_OPTION)
    .option(...JSON_OPTION)
    .action((options) =>
      run(async (terminal) => (await import("./health.ts")).showHealth(options, terminal)),
    );
}
