/** Configuration: what wins over what, and what is said of values that are wrong. */
import { describe, expect, test } from "bun:test";
import { type Config, OPTIONS } from "../src/config.ts";
import { type ConfigFault, describeFault, readConfig } from "../src/read-config.ts";

const read = (
  env: Record<string, string> = {},
  flags: Record<string, string | boolean> = {},
  terminal = false,
) => readConfig({ flags, env, terminal });

function config(...input: Parameters<typeof read>): Config {
  const result = read(...input);
  if ("faults" in result) throw new Error(result.faults.map(describeFault).join("\n"));
  return result.config;
}
function faults(...input: Parameters<typeof read>): ConfigFault[] {
  const result = read(...input);
  return "faults" in result ? result.faults : [];
}

/** For each option three texts that are allowed, each with the value that it stands for, and some that are not. */
const SAMPLES: { [K in keyof Config]: { good: [text: string, value: Config[K]][]; bad: string[] } } = {
  host: { good: same("127.0.0.1", "::1", "localhost"), bad: ["a b", "http://host", "a/b"] },
  gatewayPort: { good: ports(), bad: ["x", "-1", "65536", "80.5", "1e3", "0x50"] },
  workers: {
    good: [
      ["1", 1],
      ["8", 8],
      ["64", 64],
    ],
    bad: ["0", "65", "two", "1.5", "-1", "auto"],
  },
  corePort: { good: ports(), bad: ["x", "65536"] },
  registryPort: { good: ports(), bad: ["x", "65536"] },
  databaseUrl: {
    good: same("file:./a.db", "libsql://db.example", "https://db.example"),
    bad: ["postgresql://localhost/db", "mysql://h/d", "./data.db", "file:", "wss://h", "file:./a%b.db"],
  },
  databaseAuthToken: { good: same("a", "b", "c"), bad: [] },
  plugins: { good: same("a", "./b", "/c"), bad: [] },
  pluginsWatch: { good: same("poll", "off", "on"), bad: ["yes", "ON", "0"] },
  pluginStartTimeoutMs: { good: seconds(), bad: ["x", "0", "0.09", "3601", "5s", "1e3", "-1"] },
  pluginCallTimeoutMs: { good: seconds(), bad: ["x", "0", "3600.1"] },
  pluginMemoryBytes: {
    good: [
      ["128", 134_217_728],
      ["1024", 1_073_741_824],
      ["1048576", 1_099_511_627_776],
    ],
    bad: ["127", "1048577", "512MB", "128.5", "-128"],
  },
  jwtSecret: { good: same("a", "b", "c"), bad: [] },
  insecure: { good: switches(), bad: ["yes", "on", "2", "constructor"] },
  apiGatewayUrls: {
    good: [
      ["http://a", ["http://a"]],
      ["http://b/, https://c/base/", ["http://b", "https://c/base"]],
      ["http://d:1", ["http://d:1"]],
    ],
    bad: ["a", "ftp://a", "http://a,b"],
  },
  logLevel: {
    good: [
      ["debug", "debug"],
      ["warn", "warn"],
      ["silent", "silent"],
    ],
    bad: ["loud", "DEBUG"],
  },
  logFormat: {
    good: [
      ["json", "json"],
      ["pretty", "pretty"],
      ["json", "json"],
    ],
    bad: ["xml"],
  },
  compositionPolicy: { good: same("safe", "any", "safe"), bad: ["strict", "SAFE"] },
  coreMutationsInGraph: { good: switches(), bad: ["yes"] },
  corsOrigins: {
    good: [
      ["https://a.example", ["https://a.example"]],
      ["http://b:1,https://c", ["http://b:1", "https://c"]],
      ["http://d", ["http://d"]],
    ],
    bad: ["*", "a.example", "https://a.example/", "https://a.example/path"],
  },
  unixSockets: {
    good: [
      ["/run/bobbin", "/run/bobbin"],
      ["/run/bob-bin_1/", "/run/bob-bin_1"],
      ["/a", "/a"],
    ],
    bad: ["/", "run", "/run/../etc", "/run//bobbin", "/run/bob bin", "on"],
  },
  bodyLimitBytes: {
    good: [
      ["1024", 1024],
      ["2000000", 2_000_000],
      ["1073741824", 1_073_741_824],
    ],
    bad: ["1023", "1073741825", "1MB"],
  },
  compileAfter: {
    good: [
      ["0", 0],
      ["25", 25],
      ["off", Number.POSITIVE_INFINITY],
    ],
    bad: ["-1", "never", "1.5"],
  },
  isProduction: {
    good: [
      ["production", true],
      ["staging", false],
      ["test", false],
    ],
    bad: [],
  },
};

function same<T extends string>(...texts: T[]): [string, T][] {
  return texts.map((text) => [text, text]);
}
function ports(): [string, number][] {
  return [
    ["0", 0],
    ["4000", 4000],
    ["65535", 65_535],
  ];
}
function seconds(): [string, number][] {
  return [
    ["0.1", 100],
    ["2.5", 2_500],
    ["3600", 3_600_000],
  ];
}
function switches(): [string, boolean][] {
  return [
    ["1", true],
    ["false", false],
    ["true", true],
  ];
}

const KEYS = Object.keys(OPTIONS) as (keyof Config)[];
/** `--log-level <level>` is handed over as `logLevel`. */
const flagOf = (key: keyof Config) =>
  OPTIONS[key].flag
    ?.slice(2)
    .split(" ")[0]
    ?.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

test("without flags and variables every option has its default", () => {
  expect(config()).toEqual({
    host: "localhost",
    gatewayPort: 3000,
    workers: 1,
    corePort: 3001,
    registryPort: 3999,
    databaseUrl: "file:./data/bobbin.db",
    databaseAuthToken: undefined,
    plugins: "./plugins",
    pluginsWatch: "on",
    pluginStartTimeoutMs: 5_000,
    pluginCallTimeoutMs: 10_000,
    pluginMemoryBytes: 536_870_912,
    jwtSecret: undefined,
    insecure: false,
    apiGatewayUrls: [],
    logLevel: "info",
    logFormat: "json",
    compositionPolicy: "any",
    coreMutationsInGraph: false,
    corsOrigins: undefined,
    bodyLimitBytes: 1_048_576,
    unixSockets: undefined,
    compileAfter: 1,
    isProduction: false,
  });
  expect(config({}, {}, true).logFormat).toBe("pretty");
});

test("the options have the published flags and variables", () => {
  const published =
    "HOST GATEWAY_PORT WORKERS CORE_PORT SERVICE_REGISTRY_PORT DATABASE_URL DATABASE_AUTH_TOKEN PLUGINS_DIR PLUGINS_WATCH PLUGIN_START_TIMEOUT PLUGIN_CALL_TIMEOUT PLUGIN_MEMORY JWT_SECRET INSECURE API_GATEWAY_URL LOG_LEVEL LOG_FORMAT CORE_MUTATIONS_IN_GRAPH CORS_ORIGINS";
  for (const env of published.split(" "))
    expect(Object.values(OPTIONS).map((option) => option.env)).toContain(env);
  const flags =
    "--host --gateway-port --workers --core-port --registry-port --database-url --plugins --insecure --log-level --log-format";
  expect(Object.values(OPTIONS).flatMap(({ flag }) => flag?.split(" ")[0] ?? [])).toEqual(flags.split(" "));
});

describe.each(KEYS)("%s", (key) => {
  const { env } = OPTIONS[key];
  const [[first, firstValue], [second, secondValue], [third, thirdValue]] = SAMPLES[key].good as [
    [string, unknown],
    [string, unknown],
    [string, unknown],
  ];

  test("is read from its variable; BOBBIN_ before the name wins, and the flag over both", () => {
    expect(config({ [env]: first })[key]).toEqual(firstValue as never);
    expect(config({ [env]: first, [`BOBBIN_${env}`]: second })[key]).toEqual(secondValue as never);
    const flag = flagOf(key);
    if (flag) {
      const all = config({ [env]: first, [`BOBBIN_${env}`]: second }, { [flag]: third });
      expect(all[key]).toEqual(thirdValue as never);
    }
  });

  test("counts an empty variable as not set", () => {
    expect(config({ [env]: "" })[key]).toEqual(config()[key] as never);
    expect(config({ [env]: first, [`BOBBIN_${env}`]: "" })[key]).toEqual(firstValue as never);
  });

  test("a wrong value is reported with the option, its origin and what is allowed", () => {
    const flag = flagOf(key);
    for (const bad of SAMPLES[key].bad) {
      const option = OPTIONS[key].flag?.split(" ")[0] ?? env;
      const { allowed } = OPTIONS[key];
      const expected = { option, value: JSON.stringify(bad), allowed };
      expect(faults({ [env]: bad })).toEqual([{ ...expected, origin: `from the environment (${env})` }]);
      expect(faults({ [`BOBBIN_${env}`]: bad })).toEqual([
        { ...expected, origin: `from the environment (BOBBIN_${env})` },
      ]);
      if (flag)
        expect(faults({}, { [flag]: bad })).toEqual([{ ...expected, origin: "from the command line" }]);
    }
  });
});

test("all faults are reported at once", () => {
  const wrong = faults(
    { LOG_LEVEL: "loud", BOBBIN_CORE_PORT: "x", DATABASE_URL: "postgresql://db/x" },
    { host: "a b" },
  );
  expect(wrong.map(({ option }) => option)).toEqual([
    "--host",
    "--core-port",
    "--database-url",
    "--log-level",
  ]);
  const [, , database] = wrong;
  expect(database && describeFault(database)).toBe(
    '--database-url: "postgresql://db/x" (from the environment (DATABASE_URL)) is not allowed; allowed: a URL whose scheme is file:, libsql:, http: or https:, with %25 for every % of a path',
  );
});

test("a fault shows no password and no token", () => {
  for (const url of [
    "postgresql://me:hunter2@db/x",
    "mysql://me:hunt@hunter2@db/x",
    "wss://db?authToken=hunter2",
  ]) {
    expect(JSON.stringify(faults({ DATABASE_URL: url }))).not.toContain("hunter2");
  }
  for (const { secret, env } of Object.values(OPTIONS)) {
    expect([env, secret === true]).toEqual([env, /TOKEN|SECRET/.test(env)]);
  }
});

describe("values that do not go together", () => {
  test("two doors on one port are refused, free ports are not", () => {
    const [fault, ...others] = faults({ CORE_PORT: "3999" });
    expect(others).toEqual([]);
    expect(fault).toMatchObject({
      option: "--registry-port",
      origin: "--core-port has it too",
      value: "3999",
    });
    expect(fault && describeFault(fault)).toStartWith(
      "--registry-port: 3999 (--core-port has it too) is not",
    );
    expect(faults({ GATEWAY_PORT: "7", CORE_PORT: "7", SERVICE_REGISTRY_PORT: "7" })).toHaveLength(2);
    expect(faults({ GATEWAY_PORT: "0", CORE_PORT: "0", SERVICE_REGISTRY_PORT: "0" })).toEqual([]);
  });

  test("beyond loopback a secret is needed, or the word that says otherwise", () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.7", "bobbin.example", "localhost.example", "128.0.0.1"]) {
      expect(faults({ HOST: host })).toMatchObject([
        { option: "--host", value: JSON.stringify(host), allowed: expect.stringContaining("JWT_SECRET") },
      ]);
      expect(faults({ HOST: host, JWT_SECRET: "s" })).toEqual([]);
      expect(faults({ HOST: host, INSECURE: "1" })).toEqual([]);
      expect(faults({ HOST: host }, { insecure: true })).toEqual([]);
      expect(faults({ HOST: host, INSECURE: "0" })).toHaveLength(1);
    }
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "app.localhost"])
      expect(faults({ HOST: host })).toEqual([]);
  });
});
