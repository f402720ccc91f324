/** The commands about services, run by the compiled binary against one bobbin: what they print and end with. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { BINARY, type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { type Command, commandFor, onTerminal, placeOf } from "../support/bobbin-command.ts";
import { get, post, until } from "../support/client.ts";
import { run } from "../support/command.ts";
import { startService, type TestService } from "../support/service.ts";
import { SECRET, token } from "../support/tokens.ts";

let bobbin: RunningBinary;
let service: TestService;
let command: Command;

beforeAll(async () => {
  [bobbin, service] = await Promise.all([startBinary(), startService({ typeDefs: "type Query { a: Int }" })]);
  command = commandFor(bobbin);
});
afterAll(async () => {
  await bobbin[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const statusOf = async (name: string) => (await get(`${bobbin.urls.registry}/services/${name}`)).body.status;
const active = (name: string) =>
  until(
    () => statusOf(name),
    (status) => status === "ACTIVE",
  );

test("a service is registered, shown, taken out, brought back and removed", async () => {
  const made = await command([
    ...["register", "pay", service.url, "--graphql", "/graphql", "--health", "/health", "--version", "1.2"],
    ...["--ttl", "600", "--metadata", '{"team":"money","endpoints":{"docs":"/docs"}}'],
  ]);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(made.stdout).toMatch(/^registered pay: [A-Z]+, http:\/\/127\.0\.0\.1:\d+\n$/);
  await active("pay");
  const { body } = await get(`${bobbin.urls.registry}/services/pay`);
  expect(body).toMatchObject({
    version: "1.2",
    ttl: 600,
    health: `${service.url}/health`,
    graphqlUrl: service.graphqlUrl,
    metadata: { team: "money", endpoints: { docs: "/docs", graphql: "/graphql" } },
  });
  expect((await command(["register", "pay", service.url])).stdout).toStartWith(
    "registered pay again: ACTIVE",
  );

  const list = await command(["services"]);
  expect({ ...list, stdout: list.stdout.split("\n") }).toEqual({
    status: 0,
    stdout: [
      `NAME  STATUS  SOURCE  INSTANCES  URL${" ".repeat(`${bobbin.urls.core}/graphql`.length - 3)}  REASON`,
      `core  ACTIVE  CORE    1/1        ${bobbin.urls.core}/graphql`,
      `pay   ACTIVE  REMOTE  1/1        ${service.url}`,
      "",
    ],
    stderr: "",
  });
  const one = await command(["services", "pay"]);
  expect(one).toMatchObject({ status: 0, stderr: "" });
  expect(one.stdout).toMatch(/^serviceName: +pay$/m);
  expect(one.stdout).toMatch(/^status: +ACTIVE$/m);
  expect(one.stdout).toMatch(/^metadata: +\{"team":"money"/m);
  expect(one.stdout).toMatch(/^INSTANCE +HEALTHY +GRAPHQL/m);
  expect(one.stdout).toMatch(new RegExp(`^${service.url} +yes +${service.graphqlUrl} +\\d{4}-`, "m"));

  const out = await command(["maintenance", "on", "pay"]);
  expect(out).toEqual({
    status: 0,
    stdout: "maintenance on: pay is MAINTENANCE, set by a person\n",
    stderr: "",
  });
  expect(await statusOf("pay")).toBe("MAINTENANCE");
  expect(await command(["maintenance", "off", "pay"])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^maintenance off: pay is [A-Z]+/),
  });
  await active("pay");

  const gone = await command(["unregister", "pay", "--url", service.url]);
  expect(gone).toEqual({
    status: 0,
    stdout: `unregistered the instance of pay at ${service.url}\n`,
    stderr: "",
  });
  await command(["register", "pay", service.url]);
  expect(await command(["unregister", "pay"])).toEqual({
    status: 0,
    stdout: "unregistered pay\n",
    stderr: "",
  });
});

test("--json is the registry's own answer, one document", async () => {
  const { status, stdout, stderr } = await command(["services", "--json"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual((await get(`${bobbin.urls.registry}/services`)).body);
  const core = JSON.parse((await command(["services", "core", "--json"])).stdout);
  expect(core).toMatchObject({ serviceName: "core", status: "ACTIVE", instances: [{ healthy: true }] });
});

test("a service without GraphQL is said to be no part of the graph", async () => {
  const { status, stderr } = await command(["register", "plain", service.url]);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: "plain is not part of the graph: --graphql /graphql makes it one.\n",
  });
  await command(["unregister", "plain"]);
});

test.each([
  ["services nobody", /No service is named "nobody".*SERVICE_NOT_FOUND/],
  ["unregister nobody", /SERVICE_NOT_FOUND/],
  ["maintenance on nobody", /SERVICE_NOT_FOUND/],
  ["health --service nobody", /SERVICE_NOT_FOUND/],
  ["register No-Body http://127.0.0.1:9", /INVALID_INPUT/],
  ["register core http://127.0.0.1:9", /NAME_TAKEN/],
])("%s is refused as the server refuses it, with status 1", async (line, hint) => {
  const { status, stdout, stderr } = await command(line.split(" "));
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(hint);
});

test.each([
  [["register", "a"], /missing.*url/],
  [["register", "a", "http://127.0.0.1:9", "--ttl", "soon"], /--ttl soon/],
  [["register", "a", "http://127.0.0.1:9", "--metadata", "[1]"], /--metadata \[1\]/],
  [["maintenance", "maybe", "a"], /on, off/],
  [["services", "--registry", "localhost:3999"], /--registry localhost:3999: give the URL/],
  [["health", "--gateway", "ftp://here"], /--gateway ftp:\/\/here/],
  [["watch", "--registry", "nowhere"], /--registry nowhere/],
])("%j is a wrong command line, with status 2", async (args, hint) => {
  const { status, stdout, stderr } = await command(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(hint);
});

test("the exit status of health is that of all, or of one service", async () => {
  expect(await command(["health"])).toEqual({
    status: 0,
    stdout: "ok: 1 of 1 services are ACTIVE\n",
    stderr: "",
  });
  const down = { serviceName: "down", url: "http://127.0.0.1:9" };
  await post(`${bobbin.urls.registry}/register`, down);
  const { status, stdout } = await command(["health"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^degraded: 1 of 2 services are ACTIVE\n\nNAME +STATUS +REASON\ndown +INACTIVE/);
  expect(await command(["health", "--service", "core"])).toMatchObject({
    status: 0,
    stdout: "core: ACTIVE\n",
  });
  expect(await command(["health", "--service", "down"])).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^down: INACTIVE/),
  });
  await post(`${bobbin.urls.registry}/register`, { ...down, isRequired: true });
  const whole = await command(["health", "--json"]);
  expect(whole.status).toBe(1);
  expect(JSON.parse(whole.stdout)).toMatchObject({
    status: "unhealthy",
    services: [{ name: "core" }, { name: "down" }],
  });
  await command(["unregister", "down"]);
  expect(await command(["health", "--gateway", "http://127.0.0.1:9"])).toMatchObject({
    status: 2,
    stdout: "",
  });
});

test.each(["services", "register a http://127.0.0.1:1", "unregister a", "watch"])(
  "%s says of a registry that is not there where it looked, and what to do",
  async (line) => {
    const { status, stdout, stderr } = await run(line.split(" "), {
      env: { SERVICE_REGISTRY_URL: "http://127.0.0.1:9" },
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /at http:\/\/127\.0\.0\.1:9: connection refused\.\n.*bobbin serve.*--registry <url>/,
    );
  },
);

test("watch prints each event, goes on after the server was away, and ends well when it is interrupted", async () => {
  await using folder = await tempFolder();
  let bob = await startBinary({ folder: folder.path });
  try {
    const { urls } = bob;
    const ports = placeOf(bob);
    const child = Bun.spawn([BINARY, "watch", "--json", "--service", "seen"], {
      env: { PATH: process.env.PATH ?? "", ...ports },
      stdout: "pipe",
      stderr: "pipe",
    });
    let text = "";
    const reading = (async () => {
      for await (const chunk of child.stdout) text += new TextDecoder().decode(chunk);
    })();
    const events = () =>
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    const registrations = () => events().filter(({ type }) => type === "REGISTERED");
    const register = (name: string) =>
      post(`${urls.registry}/register`, { serviceName: name, url: "http://127.0.0.1:9" });
    // The stream may begin after the first ones, and with what a probe found.
    await until(
      async () => {
        await register("seen");
        await register("other");
        return registrations().length;
      },
      (count) => count > 0,
    );
    const flags = ["--gateway-port", ports.GATEWAY_PORT, "--core-port", ports.CORE_PORT] as string[];
    await bob.stop("SIGTERM");
    const before = registrations().length;
    bob = await startBinary({
      folder: folder.path,
      args: [...flags, "--registry-port", new URL(urls.registry).port],
    });
    await until(
      async () => {
        await register("seen");
        return registrations().length;
      },
      (count) => count > before,
    );
    child.kill("SIGINT");
    await Promise.all([child.exited, reading]);
    expect(child.exitCode).toBe(0);
    expect([...new Set(events().map((event) => event.service))]).toEqual(["seen"]);
    expect(registrations()[0]).toMatchObject({ at: expect.any(String) });
    expect(await new Response(child.stderr).text()).toContain("trying again");
  } finally {
    await bob[Symbol.asyncDispose]();
  }
}, 30_000);

test("watch is readable without JSON", async () => {
  const child = Bun.spawn([BINARY, "watch"], {
    env: { PATH: process.env.PATH ?? "", ...placeOf(bobbin) },
    stdout: "pipe",
  });
  const reader = child.stdout.getReader();
  const first = reader.read();
  let isRead = false;
  void first.then(() => {
    isRead = true;
  });
  await until(
    () => post(`${bobbin.urls.registry}/register`, { serviceName: "told", url: "http://127.0.0.1:9" }),
    () => isRead,
  );
  const { value } = await first;
  expect(new TextDecoder().decode(value)).toMatch(/^\d{4}-\S+Z {2}[A-Z]+ +told {2}\S/);
  child.kill("SIGTERM");
  await child.exited;
  expect(child.exitCode).toBe(0);
  await command(["unregister", "told"]);
});

test("writes bring a token: of the flag, of the environment, or made of the secret", async () => {
  await using guarded = await startBinary({ env: { JWT_SECRET: SECRET } });
  const at = commandFor(guarded);
  const register = ["register", "pay", "http://127.0.0.1:9"];
  const refused = await at(register);
  expect(refused).toMatchObject({ status: 1, stdout: "" });
  expect(refused.stderr).toMatch(/UNAUTHENTICATED\)\n.*BOBBIN_TOKEN.*JWT_SECRET/);
  expect((await at(["maintenance", "on", "core"])).stderr).toMatch(/UNAUTHENTICATED\)\n.*BOBBIN_TOKEN/);
  const good = await token();
  expect((await at([...register, "--token", good])).status).toBe(0);
  expect((await at(["maintenance", "on", "pay"], { BOBBIN_TOKEN: good })).status).toBe(0);
  expect((await at(["maintenance", "off", "pay"], { JWT_SECRET: SECRET })).status).toBe(0);
  expect((await at(["unregister", "pay"], { SERVICE_REGISTRY_TOKEN: good })).status).toBe(0);
});

test("a table has colours and is cut on a terminal only, and no colours with NO_COLOR", async () => {
  const place = placeOf(bobbin);
  const lines = async (env: Record<string, string>) =>
    (await onTerminal(["services"], 40, { ...place, ...env })).trimEnd().split("\r\n");
  const coloured = await lines({});
  expect(coloured[1]).toContain("\u001b[32mACTIVE\u001b[39m");
  const plain = await lines({ NO_COLOR: "1" });
  expect(plain.join()).not.toContain("\u001b");
  expect(plain[1]).toMatch(/^core.*…$/);
  expect(plain.map((line) => line.length).filter((length) => length > 40)).toEqual([]);
  const { stdout } = await command(["services"]);
  for (const mark of ["\u001b", "…"]) expect(stdout).not.toContain(mark);
});

test("what a service says of itself does not move the cursor", async () => {
  await post(`${bobbin.urls.registry}/register`, {
    serviceName: "odd",
    url: "http://127.0.0.1:9",
    description: "a\u001b[2Jb\nc",
  });
  const { stdout } = await command(["services", "odd"]);
  expect(stdout).toMatch(/^description: +a \[2Jb c$/m);
  await command(["unregister", "odd"]);
});
