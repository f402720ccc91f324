/** Options that several commands share, and what their help says of them. Knows no command. */
import { Option } from "commander";
import { OPTIONS } from "../config.ts";

/** An option of the server's, where the command line has it. */
export function serverOption(key: keyof typeof OPTIONS): Option | undefined {
  const { flag, help, env, shown } = OPTIONS[key];
  return flag ? new Option(flag, `${help} [${env}] (default: ${shown})`) : undefined;
}

export const REGISTRY_OPTION = ["--registry <url>", "where the running bobbin's registry is"] as const;
export const GATEWAY_OPTION = ["--gateway <url>", "where the running bobbin's gateway is"] as const;
export const CORE_OPTION = ["--core <url>", "where the running bobbin's core is"] as const;
export const TOKEN_OPTION = ["--token <token>", "what opens its writes"] as const;
export const JSON_OPTION = ["--json", "print JSON"] as const;

export const REGISTRY_HELP = `Without --registry it is looked for at SERVICE_REGISTRY_URL, else where HOST and
SERVICE_REGISTRY_PORT say, or else on http://localhost:3999.`;

export const GATEWAY_HELP = `Without --gateway it is looked for where HOST and GATEWAY_PORT say, or else on
http://localhost:3000.`;

export const CORE_HELP = `Without --core it is looked for where HOST and CORE_PORT say, or else on
http://localhost:3001.`;

export const TOKEN_HELP = `Where that bobbin wants a token, say --token, or set BOBBIN_TOKEN or
SERVICE_REGISTRY_TOKEN to one, or JWT_SECRET to its secret, of which a token of
one minute is made.`;
