/** The command line of the compiled binary: help, version, faults of every kind, tokens. */
import { expect, test } from "bun:test";
import { decodeJwt } from "jose";
import manifest from "../package.json" with { type: "json" };
import { OPTIONS } from "../src/config.ts";
import { startBinary, tempFolder } from "./support/app.ts";
import { post } from "./support/client.ts";
import { run } from "./support/command.ts";

const SECRET = "a secret of more than thirty-two characters";

test("--version prints the version, --help what there is, and both end well", async () => {
  expect(await run(["--version"])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
  const help = await run(["--help"]);
  expect(help).toMatchObject({ status: 0, stderr: "" });
  expect(help.stdout).toMatch(/serve.*the default/);
});

test("the help of serve names every flag, every variable and every default", async () => {
  const { status, stdout } = await run(["serve", "--help"]);
  expect(status).toBe(0);
  const words = stdout.replace(/\s+/g, " ");
  for (const { flag, env, shown } of Object.values(OPTIONS)) {
    expect(words).toContain(env);
    expect(words).toContain(shown);
    if (flag) expect(words).toContain(flag);
  }
});

test.each([
  [["frobnicate"], /unknown command 'frobnicate'\n.*--help/],
  [["--frobnicate"], /unknown option '--frobnicate'/],
  [["--gateway-prt", "1"], /--gateway-port/],
  [["serve", "twice"], /unknown command 'twice'/],
  [["serve", "--host", "localhost", "services"], /one command at a time: 'serve' or 'services'/],
  [["--gateway-port", "3000", "services"], /'--gateway-port' is a flag of 'serve', not of 'services'/],
  [["--log-level=debug", "plugin", "list"], /'--log-level' is a flag of 'serve', not of 'plugin list'/],
  [["--host", "health", "--json", "health"], /'--host' is a flag of 'serve', not of 'health'/],
  [["--plugins", "./code", "plugin", "check"], /'--plugins' goes after .*: bobbin plugin check --plugins/],
  [["--core-port", "3001", "serve"], /'--core-port' goes after the command: bobbin serve --core-port/],
  [["--registry", "http://r", "services"], /'--registry' goes after .*: bobbin services --registry/],
  [["--gateway-port"], /--gateway-port.*missing/],
  [["token", "frobnicate"], /frobnicate|too many/],
])("%j is refused with a hint and status 2", async (args, hint) => {
  const { status, stdout, stderr } = await run(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(hint);
});

test("every fault of the configuration is reported at once, with name, origin, value and what is allowed", async () => {
  const { status, stderr } = await run(["--core-port", "99999"], {
    env: {
      GATEWAY_PORT: "http",
      BOBBIN_LOG_LEVEL: "loud",
      DATABASE_URL: "postgresql://me:hunter2@db/main",
      API_GATEWAY_URL: "gateway.local",
    },
  });
  expect(status).toBe(2);
  const lines = stderr.trim().split("\n");
  expect(lines).toHaveLength(5);
  const lineOf = (option: string) => lines.find((line) => line.startsWith(`${option}:`)) ?? "";
  expect(lineOf("--core-port")).toMatch(/"99999".*the command line.*0.*65535/);
  expect(lineOf("--gateway-port")).toMatch(/"http".*GATEWAY_PORT/);
  expect(lineOf("--log-level")).toMatch(/"loud".*BOBBIN_LOG_LEVEL.*debug/);
  expect(lineOf("--database-url")).toMatch(/postgresql.*DATABASE_URL.*file:.*libsql:.*http:/);
  expect(lineOf("API_GATEWAY_URL")).toMatch(/gateway\.local/);
  expect(stderr).not.toContain("hunter2");
});

test("listening beyond loopback needs a secret, or a word that it is meant", async () => {
  const refused = await run(["--host", "0.0.0.0"]);
  expect(refused.status).toBe(2);
  expect(refused.stderr).toMatch(/JWT_SECRET.*--insecure/);

  for (const [env, args] of [
    [{}, ["--insecure"]],
    [{ INSECURE: "1" }, []],
    [{ JWT_SECRET: SECRET }, []],
  ] as const) {
    await using bobbin = await startBinary({ env, args: ["--host", "0.0.0.0", ...args] });
    expect(bobbin.lines.find(({ msg }) => msg === "ready")?.note).toBeUndefined();
    const warned = bobbin.lines.some(({ level, msg }) => level === "warn" && /anyone/.test(String(msg)));
    expect(warned).toBe(!("JWT_SECRET" in env));
  }
});

test("a port in use is said so, and the process ends with a failure", async () => {
  await using folder = await tempFolder();
  await using bobbin = await startBinary();
  const { port } = new URL(bobbin.urls.core);
  const { status, stdout } = await run(
    ["--gateway-port", "0", "--registry-port", "0", "--core-port", port, "--log-format", "json"],
    { folder: folder.path },
  );
  expect(status).toBe(1);
  expect(stdout).toContain(`cannot listen on localhost:${port}: it is in use`);
  expect(stdout).not.toContain('"ready"');
});

test("a token that the command made opens the writes it is for", async () => {
  const env = { JWT_SECRET: SECRET };
  const made = await run(["token", "create", "--service", "payment", "--ttl", "2h"], { env });
  expect(made).toMatchObject({ status: 0, stderr: "" });
  const token = made.stdout.trim();
  const { iat = 0, exp = 0 } = decodeJwt(token);
  expect(exp - iat).toBe(7200);

  await using bobbin = await startBinary({ env });
  const register = (serviceName: string, headers: Record<string, string>) =>
    post(`${bobbin.urls.registry}/register`, { serviceName, url: "http://127.0.0.1:9" }, headers);
  const authorization = `Bearer ${token}`;
  expect((await register("payment", {})).status).toBe(401);
  expect((await register("payment", { authorization })).status).toBe(201);
  expect(await register("other", { authorization })).toMatchObject({
    status: 403,
    body: { code: "FORBIDDEN" },
  });
});

test.each([
  [[], {}, /JWT_SECRET is not set/],
  [["--ttl", "soon"], { JWT_SECRET: SECRET }, /--ttl soon/],
  [["--ttl", "0s"], { JWT_SECRET: SECRET }, /--ttl 0s/],
  [["--service", "@my/service"], { JWT_SECRET: SECRET }, /does not match/],
])("token create %j is refused where it cannot be made", async (args, env, hint) => {
  const { status, stdout, stderr } = await run(["token", "create", ...args], { env });
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(hint);
});
