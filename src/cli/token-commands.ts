/** `bobbin token …`: words, flags and help. Knows what can be asked for; not how it is done. */
import type { Command } from "commander";
import { explain } from "./help.ts";
import type { Run } from "./run-command.ts";
import { done } from "./terminal/outcome.ts";

export function addTokenCommands(program: Command, run: Run): void {
  const example = "JWT_SECRET=… bobbin token create --service payment --ttl 90d";
  const token = explain(program.command("token").description("tokens for writes"), { examples: [example] });
  explain(token.command("create"), {
    examples: [example, ["JWT_SECRET=… bobbin token create --ttl 1h", "for all services"]],
    ok: "the token is on standard output",
    no: "it could not be made",
  })
    .description("print a token that may write, signed with JWT_SECRET")
    .option("--service <name>", "the one service that it may write (default: all)")
    .option("--ttl <duration>", "how long it is valid: 90d, 12h, 30m, 45s", "90d")
    .action(({ ttl, service }: { ttl: string; service?: string }) =>
      run(async ({ env }) => {
        const { tokenFor } = await import("./token.ts");
        return done(await tokenFor(env.BOBBIN_JWT_SECRET || env.JWT_SECRET, ttl, service));
      }),
    );
}
