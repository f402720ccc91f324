/**
 * Every option once: flag, variable, default, check. Knows values; neither where they come from nor which go together.
 */
import { LOG_LEVELS, type LogFormat, type LogLevel } from "./log.ts";
import { SOCKET_PATH } from "./unix-url.ts";

export interface Config {
  host: string;
  gatewayPort: number;
  /** How many processes answer on the gateway's port. */
  workers: number;
  corePort: number;
  registryPort: number;
  databaseUrl: string;
  databaseAuthToken: string | undefined;
  plugins: string;
  pluginsWatch: "on" | "poll" | "off";
  pluginStartTimeoutMs: number;
  pluginCallTimeoutMs: number;
  pluginMemoryBytes: number;
  jwtSecret: string | undefined;
  insecure: boolean;
  /** Base URLs without a trailing slash. */
  apiGatewayUrls: readonly string[];
  logLevel: LogLevel;
  logFormat: LogFormat;
  /** Whether a schema that breaks clients is composed, or waits until someone accepts it. */
  compositionPolicy: "any" | "safe";
  coreMutationsInGraph: boolean;
  /** Origins that may read across origins; undefined: loopback origins on a loopback listener. */
  corsOrigins: readonly string[] | undefined;
  bodyLimitBytes: number;
  /** The folder of the unix sockets that services may be registered at, without a slash at its end. */
  unixSockets: string | undefined;
  /** How many times a document is asked before code is made for it; Infinity: none is made. */
  compileAfter: number;
  isProduction: boolean;
}

export interface Option<T> {
  /** The command line's flag, as the parser wants it; absent where only the environment sets it. */
  flag?: string;
  env: string;
  help: string;
  /** What the table in the README and --help show as the default. */
  shown: string;
  allowed: string;
  secret?: true;
  fallback: (context: { terminal: boolean }) => T;
  /** The value, or undefined when it is not allowed. */
  parse: (raw: string) => T | undefined;
}

const asGiven = (raw: string): string => raw;

/** A whole number within bounds, in digits alone. */
const whole =
  (least: number, most: number) =>
  (raw: string): number | undefined => {
    const isIn = /^\d{1,10}$/.test(raw) && Number(raw) >= least && Number(raw) <= most;
    return isIn ? Number(raw) : undefined;
  };

const port = (flag: string, env: string, standard: number, door: string): Option<number> => ({
  flag: `${flag} <port>`,
  env,
  help: `port of the ${door}`,
  shown: String(standard),
  allowed: "a whole number from 0 (any free port) to 65535",
  fallback: () => standard,
  parse: whole(0, 65_535),
});

const oneOf =
  <T extends string>(values: readonly T[]) =>
  (raw: string): T | undefined =>
    values.find((value) => value === raw);

/** An option in seconds, as milliseconds. */
const seconds = (env: string, help: string, standard: number): Option<number> => ({
  env,
  help: `seconds ${help}`,
  shown: String(standard),
  allowed: "a number of seconds from 0.1 to 3600",
  fallback: () => standard * 1_000,
  parse: (raw) =>
    /^\d{1,4}(\.\d{1,3})?$/.test(raw) && Number(raw) >= 0.1 && Number(raw) <= 3600
      ? Number(raw) * 1_000
      : undefined,
});

const SWITCH = new Map([
  ["1", true],
  ["true", true],
  ["0", false],
  ["false", false],
]);

const flagOption = (flag: string | undefined, env: string, help: string): Option<boolean> => ({
  ...(flag ? { flag } : {}),
  env,
  help,
  shown: "off",
  allowed: "1, true, 0 or false",
  fallback: () => false,
  parse: (raw) => SWITCH.get(raw),
});

/** The URL without trailing slashes, or undefined when it is not an absolute http(s) one. */
function httpUrl(raw: string): string | undefined {
  const url = URL.parse(raw);
  return url && /^https?:$/.test(url.protocol) ? raw.replace(/\/+$/, "") : undefined;
}

function list(raw: string, item: (raw: string) => string | undefined): string[] | undefined {
  const items = raw
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map(item);
  return items.every((part) => part !== undefined) ? items : undefined;
}

const DATABASE_SCHEMES = ["file:", "libsql:", "http:", "https:"];

function databaseUrl(raw: string): string | undefined {
  const isKnown = DATABASE_SCHEMES.some((scheme) => raw.startsWith(scheme) && raw.length > scheme.length);
  return isKnown && isDecodable(raw) ? raw : undefined;
}

/** Whether every % in it begins the code of a character. */
function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

type Options = { [K in keyof Config]: Option<Config[K]> };

export const OPTIONS: Options = {
  host: {
    flag: "--host <address>",
    env: "HOST",
    help: "address to listen on",
    shown: "localhost",
    allowed: "a host name or an IP address; localhost means both loopback addresses",
    fallback: () => "localhost",
    parse: (raw) => (/^[A-Za-z0-9._:-]+$/.test(raw) ? raw : undefined),
  },
  gatewayPort: port("--gateway-port", "GATEWAY_PORT", 3000, "gateway"),
  workers: {
    flag: "--workers <number>",
    env: "WORKERS",
    help: "processes that answer on the gateway's port, on Linux",
    shown: "1",
    allowed: "a whole number from 1 to 64",
    fallback: () => 1,
    parse: whole(1, 64),
  },
  corePort: port("--core-port", "CORE_PORT", 3001, "core's GraphQL API"),
  registryPort: port("--registry-port", "SERVICE_REGISTRY_PORT", 3999, "registry's REST API"),
  databaseUrl: {
    flag: "--database-url <url>",
    env: "DATABASE_URL",
    help: "where the registry is kept",
    shown: "file:./data/bobbin.db",
    allowed: "a URL whose scheme is file:, libsql:, http: or https:, with %25 for every % of a path",
    fallback: () => "file:./data/bobbin.db",
    parse: databaseUrl,
  },
  databaseAuthToken: {
    env: "DATABASE_AUTH_TOKEN",
    help: "token for a remote libSQL",
    shown: "none",
    allowed: "a token",
    secret: true,
    fallback: () => undefined,
    parse: asGiven,
  },
  plugins: {
    flag: "--plugins <folder>",
    env: "PLUGINS_DIR",
    help: "folder of local plugins",
    shown: "./plugins",
    allowed: "a folder; it may be missing",
    fallback: () => "./plugins",
    parse: asGiven,
  },
  pluginsWatch: {
    env: "PLUGINS_WATCH",
    help: "follow changes of plugins; poll where the system tells of none",
    shown: "on",
    allowed: "on, poll, off",
    fallback: () => "on",
    parse: oneOf(["on", "poll", "off"] as const),
  },
  pluginStartTimeoutMs: seconds("PLUGIN_START_TIMEOUT", "for a plugin to load, and for its setup", 5),
  pluginCallTimeoutMs: seconds("PLUGIN_CALL_TIMEOUT", "for a plugin to answer", 10),
  pluginMemoryBytes: {
    env: "PLUGIN_MEMORY",
    help: "megabytes that a plugin may hold, unless it is inline",
    shown: "512",
    allowed: "a whole number of megabytes from 128 to 1048576",
    fallback: () => 512 * 2 ** 20,
    parse: (raw) => {
      const megabytes = whole(128, 2 ** 20)(raw);
      return megabytes && megabytes * 2 ** 20;
    },
  },
  jwtSecret: {
    env: "JWT_SECRET",
    help: "secret of the tokens that writes need",
    shown: "none: writes are open",
    allowed: "a secret of at least one character",
    secret: true,
    fallback: () => undefined,
    parse: asGiven,
  },
  insecure: flagOption("--insecure", "INSECURE", "listen beyond loopback although JWT_SECRET is not set"),
  apiGatewayUrls: {
    env: "API_GATEWAY_URL",
    help: "further gateways to tell of changes",
    shown: "none",
    allowed: "absolute http or https URLs, separated by commas",
    fallback: () => [],
    parse: (raw) => list(raw, httpUrl),
  },
  logLevel: {
    flag: "--log-level <level>",
    env: "LOG_LEVEL",
    help: "least important lines to log",
    shown: "info",
    allowed: LOG_LEVELS.join(", "),
    fallback: () => "info",
    parse: oneOf(LOG_LEVELS),
  },
  logFormat: {
    flag: "--log-format <format>",
    env: "LOG_FORMAT",
    help: "json or pretty",
    shown: "pretty on a terminal, else json",
    allowed: "json, pretty",
    fallback: ({ terminal }) => (terminal ? "pretty" : "json"),
    parse: oneOf(["json", "pretty"] as const),
  },
  compositionPolicy: {
    env: "COMPOSITION_POLICY",
    help: "safe: schemas that break clients wait until accepted",
    shown: "any",
    allowed: "any, safe",
    fallback: () => "any",
    parse: oneOf(["any", "safe"] as const),
  },
  coreMutationsInGraph: flagOption(
    undefined,
    "CORE_MUTATIONS_IN_GRAPH",
    "offer the core's mutations in the gateway's graph too",
  ),
  corsOrigins: {
    env: "CORS_ORIGINS",
    help: "origins of web pages that may read",
    shown: "loopback origins on a loopback listener, else none",
    allowed: "origins such as https://app.example.com, separated by commas",
    fallback: () => undefined,
    parse: (raw) => list(raw, (item) => (URL.parse(item)?.origin === item ? item : undefined)),
  },
  bodyLimitBytes: {
    env: "BODY_LIMIT",
    help: "largest request body, in bytes",
    shown: "1048576",
    allowed: "a whole number of bytes from 1024 to 1073741824",
    fallback: () => 1_048_576,
    parse: whole(1024, 2 ** 30),
  },
  unixSockets: {
    env: "UNIX_SOCKETS",
    help: "folder of the unix sockets that services may be registered at",
    shown: "none: no unix sockets",
    allowed: "an absolute path without . and .., of letters, digits and ._@+~-",
    fallback: () => undefined,
    parse: (raw) => (SOCKET_PATH.test(raw.replace(/\/$/, "")) ? raw.replace(/\/$/, "") : undefined),
  },
  compileAfter: {
    env: "COMPILE_AFTER",
    help: "questions with a document before it is compiled; off: never",
    shown: "1",
    allowed: "a whole number from 0 to 1000000, or off",
    fallback: () => 1,
    parse: (raw) => (raw === "off" ? Number.POSITIVE_INFINITY : whole(0, 1_000_000)(raw)),
  },
  isProduction: {
    env: "NODE_ENV",
    help: "production: answers do not say how they were made",
    shown: "none",
    // Other programs read it too, so nothing in it is wrong.
    allowed: "any name of an environment",
    fallback: () => false,
    parse: (raw) => raw === "production",
  },
};
