/** What the compiled binary says of itself: the help of every command, suggestions, and how soon it is done. */
import { expect, test } from "bun:test";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { run } from "../support/command.ts";

const nothing = async () => {};
const program = createProgram({
  serve: nothing,
  run: nothing,
  exit: () => {
    throw new Error("nothing is run here");
  },
});

/** Every command with the words that lead to it. */
function all(command: Command, words: readonly string[]): (readonly string[])[] {
  return [words, ...command.commands.flatMap((each) => all(each, [...words, each.name()]))];
}
const COMMANDS = all(program, []).filter((words) => words.length > 0);

test("all commands are there", () => {
  expect(COMMANDS.map((words) => words.join(" "))).toEqual(
    expect.arrayContaining([
      ...["serve", "services", "register", "unregister", "maintenance", "watch", "health", "query", "schema"],
      ...["plugin new", "plugin check", "plugin list", "plugin reload", "token create"],
    ]),
  );
});

test("every help begins with examples of the command, fits 80 columns, and says what the exit status means", async () => {
  const helps = await Promise.all(
    [[], ...COMMANDS].map(async (words) => ({ words, ...(await run([...words, "--help"])) })),
  );
  for (const { words, status, stdout, stderr } of helps) {
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: "" });
    expect(stdout).toMatch(/^Examples:\n {2}\$ /);
    expect(stdout.split("\n\nUsage:")[0]).toContain(["bobbin", ...words].join(" "));
    expect({ words, wide: stdout.split("\n").filter((line) => line.length > 80) }).toEqual({
      words,
      wide: [],
    });
    const isGroup = program.commands.some((each) => each.name() === words.at(0) && each.commands.length > 0);
    if (!isGroup || words.length > 1)
      expect({ words, stdout }).toEqual({
        words,
        stdout: expect.stringMatching(/Exit status.*:\n {2}0 .*\n {2}1 .*\n {2}2 /),
      });
    expect(stdout).not.toContain("\u001b");
  }
});

test("help of a command is what --help says of it, and of none there is none", async () => {
  for (const words of [["services"], ["plugin"], ["plugin", "new"]])
    expect(await run(["help", ...words])).toEqual(await run([...words, "--help"]));
  expect(await run(["plugin", "help", "new"])).toEqual(await run(["plugin", "new", "--help"]));
  expect(await run(["help"])).toEqual(await run(["--help"]));
  const { status, stdout, stderr } = await run(["help", "nope"]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toStartWith("error: unknown command 'nope'\n");
});

test.each([
  [["servces"], "services"],
  [["helth"], "health"],
  [["plugin", "lst"], "list"],
  [["help", "servces"], "services"],
  [["help", "plugin", "lst"], "list"],
  [["plugin", "help", "lst"], "list"],
  [["services", "--jsn"], "--json"],
  [["--gateway-prt", "1"], "--gateway-port"],
  [["query", "{ a }", "--varables", "{}"], "--variables"],
])("%j is unknown, and the nearest is suggested", async (args, nearest) => {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain(`(Did you mean ${nearest}?)`);
});

test("a command that serves nothing loads nothing of a server", async () => {
  const reached = new Set<string>();
  const source = new URL("../../src/", import.meta.url).pathname;
  const visit = async (path: string): Promise<void> => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = await Bun.file(path).text();
    const loaded = [...text.matchAll(/^(?:import|export)(?! type)[^;]*?from "(\.[^"]+\.ts)"/gms)];
    await Promise.all(loaded.map(([, target = ""]) => visit(new URL(target, `file://${path}`).pathname)));
  };
  await Promise.all(
    ["main", "cli/services/services", "cli/services/health", "cli/graph/query"].map((path) =>
      visit(`${source}${path}.ts`),
    ),
  );
  const paths = [...reached].map((path) => path.slice(source.length));
  expect(paths).toContain("cli/api-client.ts");
  expect(
    paths.filter((path) =>
      /^(api|health|gateway|plugins\/host)|^(app|cli\/serve|registry\/registry)/.test(path),
    ),
  ).toEqual([]);
});
