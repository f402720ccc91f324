/** `bobbin completion` of the compiled binary: scripts that shells take, and what bash completes with its own. */
import { describe, expect, test } from "bun:test";
import { BINARY } from "../support/app.ts";
import { run, toItsEnd } from "../support/command.ts";

test.each(["bash", "zsh", "fish"])("prints a script for %s", async (shell) => {
  const { status, stdout, stderr } = await run(["completion", shell]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const word of ["services", "maintenance", "dry-run", "gateway-port", "plugin check"])
    expect(stdout).toContain(word);
  // A shell that is not here cannot try it.
  if (Bun.which(shell)) {
    const child = Bun.spawn([shell, "-n"], { stdin: new TextEncoder().encode(stdout), stderr: "pipe" });
    expect(await new Response(child.stderr).text()).toBe("");
    expect(await child.exited).toBe(0);
  }
});

test.each([[[]], [["tcsh"]]])("%j is a wrong command line", async (args) => {
  const { status, stderr } = await run(["completion", ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/shell/);
});

describe.skipIf(!Bun.which("bash"))("in bash", () => {
  /** What bash offers for the last of the words. */
  async function offered(...words: string[]): Promise<string[]> {
    const script = `
      source <("$0" completion bash)
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _bobbin; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await toItsEnd(["bash", "-c", script, BINARY, "bobbin", ...words]);
    expect(stderr).toBe("");
    return stdout.trim().split("\n").filter(Boolean).sort();
  }

  test.each([
    [["se"], ["serve", "services"]],
    [
      ["plugin", ""],
      ["--help", "check", "disable", "enable", "help", "list", "new", "reload"],
    ],
    [["plugin", "re"], ["reload"]],
    [["plugin", "list", "--g"], ["--gateway"]],
    [
      ["maintenance", "o"],
      ["off", "on"],
    ],
    [["--gateway-p"], ["--gateway-port"]],
    [["register", "plugin", "http://a", "--tt"], ["--ttl"]],
    [["query", "--file", ""], []],
    [
      ["completion", ""],
      ["--help", "bash", "fish", "zsh"],
    ],
  ])("%j is completed", async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });
});
