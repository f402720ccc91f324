/** The commands about the graph: words, flags and help. Knows what can be asked for; not how it is done. */
import type { Command } from "commander";
import { explain } from "../help.ts";
import { GATEWAY_HELP, GATEWAY_OPTION, JSON_OPTION, TOKEN_HELP, TOKEN_OPTION } from "../options.ts";
import type { Run } from "../run-command.ts";

export function addGraphCommands(program: Command, run: Run): void {
  program.commandsGroup("The graph:");
  explain(program.command("query"), {
    examples: [
      "bobbin query '{ getServices { name status } }'",
      "bobbin query --file orders.graphql --variables '{\"first\":10}'",
      "echo '{ __typename }' | bobbin query - --header 'accept-language: de'",
    ],
    more: GATEWAY_HELP,
    ok: "the answer has no errors",
    no: "it has errors, or bobbin cannot be reached",
  })
    .description("ask the graph, and print the answer as JSON")
    .argument("[question]", "a GraphQL document, or - for standard input")
    .option("--file <file>", "where the document is")
    .option("--variables <json>", "its variables, as a JSON object")
    .option("--operation <name>", "which of its operations")
    .option("--header <header>", "a header to send, 'name: value'; may be repeated", collect)
    .option(...GATEWAY_OPTION)
    .action((question: string | undefined, options) =>
      run(async (terminal) => (await import("./query.ts")).askGraph(question, options, terminal)),
    );
  explain(program.command("schema"), {
    examples: [
      ["bobbin schema > schema.graphql", "the graph as it is"],
      ["bobbin schema --diff schema.graphql", "what became of it since"],
      ["bobbin schema --diff https://bobbin.example", "what it changes there"],
      ["bobbin schema --diff", "what services changed last"],
    ],
    more: `--diff says what a client of the schema in the file, or of the gateway at the
URL, notices of the running graph. Alone it says what the last change of each
service's schema means for clients, or the one that waits to be accepted.

${GATEWAY_HELP}`,
    ok: "nothing breaks clients",
    no: "something breaks clients, or bobbin cannot be reached",
  })
    .description("print the graph's schema, or what changed in it for clients")
    .option("--diff [file-or-url]", "compare instead of printing")
    .option(...GATEWAY_OPTION)
    .option("--json", "print the changes as JSON")
    .action((options) =>
      run(async (terminal) => (await import("./schema.ts")).showSchema(options, terminal)),
    );
  explain(program.command("compose"), {
    examples: [
      ["bobbin compose --dry-run orders.graphql", "as a new service"],
      ["bobbin compose --dry-run orders.graphql --name orders", "as orders' next"],
    ],
    more: `Tries the schema with the graph as it runs; nothing is registered. Whether it is
a plain, a stitching or a federated service's is seen by its directives. The
changes are those that clients of the graph would notice.

${GATEWAY_HELP}
${TOKEN_HELP}`,
    ok: "it composes, though it may break clients",
    no: "it does not, or would wait to be accepted, or bobbin cannot be reached",
  })
    .description("say whether a schema would compose, without registering it")
    .argument("<file>", "the schema")
    .requiredOption("--dry-run", "what this command is for; services register to be composed")
    .option("--name <name>", "the service that it is a new version of")
    .option(...GATEWAY_OPTION)
    .option(...TOKEN_OPTION)
    .option(...JSON_OPTION)
    .action((file: string, options) =>
      run(async (terminal) => (await import("./compose.ts")).tryToCompose(file, options, terminal)),
    );
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
