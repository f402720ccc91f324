/** `bobbin plugin list | enable | disable | reload` of the compiled binary: what they do, say and end with. */
import { describe, expect, test } from "bun:test";
import { type RunningBinary, startBinary } from "../support/app.ts";
import { get, graphql, until } from "../support/client.ts";
import { type Run, run } from "../support/command.ts";
import { pluginSource, writeFiles } from "../support/files.ts";
import { SECRET, token } from "../support/tokens.ts";
import { folderWith, query, source } from "./folder-with.ts";

const plugin = (args: readonly string[], env: Record<string, string> = {}): Promise<Run> =>
  run(["plugin", ...args], { env });

const UNREACHABLE = "http://127.0.0.1:9";

describe("list", () => {
  const PLUGINS = {
    "a.ts": pluginSource("the-first-of-them", "first", "1"),
    "b.ts": source("second", `isolation: "inline", ${query("second")}`),
    "broken.ts": "\nexport default ];",
  };

  test("shows what a running bobbin has, and below each plugin what is wrong with it", async () => {
    await using folder = await folderWith(PLUGINS);
    await using bobbin = await startBinary({ folder: folder.path });
    const { status, stdout, stderr } = await plugin(["list", "--gateway", bobbin.urls.gateway]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "NAME               STATUS    ISOLATION  VERSION  FILE",
      "the-first-of-them  ACTIVE    worker     1.0.0    plugins/a.ts",
      "second             ACTIVE    inline     1.0.0    plugins/b.ts",
      "broken             INACTIVE  -          -        plugins/broken.ts",
      expect.stringMatching(/^ {2}plugins\/broken\.ts:2:16: bundle: .*\] \(PLUGIN_LOAD_FAILED\)$/),
      "",
    ]);
  });

  test("prints the server's own JSON where it is asked to", async () => {
    await using folder = await folderWith(PLUGINS);
    await using bobbin = await startBinary({ folder: folder.path });
    const { status, stdout } = await plugin(["list", "--json", "--gateway", `${bobbin.urls.gateway}/`]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual((await get(`${bobbin.urls.gateway}/plugins`)).body);
  });

  test("says that there are none", async () => {
    await using bobbin = await startBinary();
    const { status, stdout } = await plugin(["list", "--gateway", bobbin.urls.gateway]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "there are no plugins\n" });
  });

  test("finds the server where the environment says that it is", async () => {
    await using bobbin = await startBinary();
    const GATEWAY_PORT = new URL(bobbin.urls.gateway).port;
    for (const HOST of ["", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::"]) {
      const { status, stderr } = await plugin(["list"], { GATEWAY_PORT, HOST });
      expect({ HOST, status, stderr }).toEqual({ HOST, status: 0, stderr: "" });
    }
    // What else is wrong with it is a matter of the server.
    const env = { BOBBIN_GATEWAY_PORT: GATEWAY_PORT, GATEWAY_PORT: "3999", LOG_LEVEL: "loud" };
    expect((await plugin(["list"], env)).status).toBe(0);
  });
});

const WRITERS: [string, server: Record<string, string>, env: Record<string, string>][] = [
  ["without a secret", {}, {}],
  ["with the server's secret", { JWT_SECRET: SECRET }, { JWT_SECRET: SECRET }],
  ["with a token", { JWT_SECRET: SECRET }, { BOBBIN_TOKEN: await token(), JWT_SECRET: "of another server" }],
];
/** TEST_FULL: by whatever they may write. */
const SOME_WRITERS = process.env.TEST_FULL ? WRITERS : WRITERS.slice(-1);

describe.each(SOME_WRITERS)("%s", (_, serverEnv, env) => {
  const start = (folder: string) =>
    startBinary({ folder, env: { PLUGINS_WATCH: "off", PLUGIN_START_TIMEOUT: "60", ...serverEnv } });
  const ask = async ({ urls }: RunningBinary, field: string) =>
    graphql(urls.gateway, `{ ${field} __typename }`);

  test("a plugin that is disabled fails fast, after a restart too, until it is enabled", async () => {
    await using folder = await folderWith({
      "a.ts": source(
        "a",
        `${query("a")},
         resolvers: { Query: { a: () => "yes" } },
         setup: () => void appendFileSync("runs", "setup "),
         dispose: () => void appendFileSync("runs", "dispose ")`,
        `import { appendFileSync } from "node:fs";`,
      ),
      "b.ts": pluginSource("b", "b", "there"),
    });
    const runs = () => Bun.file(`${folder.path}/runs`).text();
    const isFailingFast = async (bobbin: RunningBinary) => {
      const { data, errors } = await graphql(bobbin.urls.gateway, "{ a b }");
      expect(data).toEqual({ a: null, b: "there" });
      expect(errors).toMatchObject([
        { path: ["a"], extensions: { code: "SERVICE_UNAVAILABLE", service: "a" } },
      ]);
      const { stdout } = await plugin(["list", "--gateway", bobbin.urls.gateway]);
      expect(stdout).toMatch(/^a +MAINTENANCE +worker +1\.0\.0 +plugins\/a\.ts$/m);
    };
    {
      await using bobbin = await start(folder.path);
      expect((await ask(bobbin, "a")).data.a).toBe("yes");
      expect(await plugin(["disable", "a", "--gateway", bobbin.urls.gateway], env)).toEqual({
        status: 0,
        stdout: "disabled a: MAINTENANCE, version 1.0.0, worker, plugins/a.ts\n",
        stderr: "",
      });
      await isFailingFast(bobbin);
      expect(await runs()).toBe("setup dispose ");
      expect(await bobbin.stop()).toBe(0);
    }
    await using bobbin = await start(folder.path);
    await isFailingFast(bobbin);
    expect(await runs()).toBe("setup dispose ");

    expect(await plugin(["enable", "a", "--gateway", bobbin.urls.gateway], env)).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^enabled a: [A-Z]+, version 1\.0\.0, worker, plugins\/a\.ts\n$/),
      stderr: "",
    });
    expect((await ask(bobbin, "a")).data.a).toBe("yes");
    expect(await runs()).toBe("setup dispose setup ");
    await until(
      () => plugin(["list", "--gateway", bobbin.urls.gateway]),
      ({ stdout }) => /^a +ACTIVE /m.test(stdout),
    );
  });

  test("a reload takes what is on the disk, or says where it is wrong and leaves the old version", async () => {
    await using folder = await folderWith({ "a.ts": pluginSource("a", "a", "one") });
    await using bobbin = await start(folder.path);
    const reload = () => plugin(["reload", "a", "--gateway", bobbin.urls.gateway], env);
    await writeFiles(folder.path, {
      "plugins/a.ts": pluginSource("a", "a", "two").replace("1.0.0", "2.0.0"),
    });
    expect((await ask(bobbin, "a")).data.a).toBe("one");
    expect(await reload()).toEqual({
      status: 0,
      stdout: "reloaded a: ACTIVE, version 2.0.0, worker, plugins/a.ts\n",
      stderr: "",
    });
    expect((await ask(bobbin, "a")).data.a).toBe("two");

    for (const [broken, place] of [
      ["\n\nexport default ];", /^plugins\/a\.ts:3:16: bundle: .* \(PLUGIN_LOAD_FAILED\)\n$/],
      [
        "\n throw new Error('on\\npurpose');",
        /^plugins\/a\.ts:2:\d+: load: threw while loading: on purpose \(PLUGIN_/,
      ],
      [
        source("a", `${query("a")}, setup() { throw new Error("too early"); }`),
        /^plugins\/a\.ts:4:\d+: setup: failed: too early /,
      ],
    ] as const) {
      await writeFiles(folder.path, { "plugins/a.ts": broken });
      const { status, stdout, stderr } = await reload();
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(place);
      expect((await ask(bobbin, "a")).data.a).toBe("two");
    }
  });

  test("a plugin that cannot be enabled says why", async () => {
    await using folder = await folderWith({ "a.ts": pluginSource("a", "a", "yes") });
    await using bobbin = await start(folder.path);
    const at = ["--gateway", bobbin.urls.gateway];
    expect((await plugin(["disable", "a", ...at], env)).status).toBe(0);
    await writeFiles(folder.path, { "plugins/a.ts": "export default ];" });
    const { status, stderr } = await plugin(["enable", "a", ...at], env);
    expect(stderr).toMatch(/^plugins\/a\.ts:1:16: bundle: .*PLUGIN_LOAD_FAILED/);
    expect(status).toBe(1);
  });

  test.each(["enable", "disable", "reload"])("%s refuses a name that no plugin has", async (action) => {
    await using bobbin = await startBinary({ env: serverEnv });
    for (const name of ["nobody", "No-Body", "../gateway"]) {
      const { status, stdout, stderr } = await plugin([action, name, "--gateway", bobbin.urls.gateway], env);
      expect({ name, status, stdout }).toEqual({ name, status: 1, stdout: "" });
      expect(stderr).toContain(`No plugin is named ${JSON.stringify(name)}. (PLUGIN_NOT_FOUND)`);
    }
  });
});

describe("a server that cannot be talked to", () => {
  test("that wants a token says so, with what to set; what is read needs none", async () => {
    await using folder = await folderWith({ "a.ts": pluginSource("a", "a", "yes") });
    await using bobbin = await startBinary({ folder: folder.path, env: { JWT_SECRET: SECRET } });
    const at = ["--gateway", bobbin.urls.gateway];
    for (const env of [
      {},
      { JWT_SECRET: "another" },
      { BOBBIN_TOKEN: "nonsense" },
      { BOBBIN_TOKEN: await token({ expires: "-1 minute" }) },
    ] as Record<string, string>[]) {
      for (const action of ["enable", "disable", "reload"]) {
        const { status, stdout, stderr } = await plugin([action, "a", ...at], env);
        expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
        expect(stderr).toMatch(/\(UNAUTHENTICATED\)\n.*BOBBIN_TOKEN.*JWT_SECRET/);
      }
    }
    const forOther = { BOBBIN_TOKEN: await token({ claims: { service: "other" } }) };
    expect((await plugin(["disable", "a", ...at], forOther)).stderr).toContain("FORBIDDEN");
    expect((await plugin(["list", ...at])).stdout).toMatch(/^a +ACTIVE/m);
  });

  test.each(["list", "enable a", "disable a", "reload a"])(
    "that is not there is named with what to do (%s)",
    async (command) => {
      const { status, stdout, stderr } = await plugin([...command.split(" "), "--gateway", UNREACHABLE]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(
        /http:\/\/127\.0\.0\.1:9: connection refused\.\n.*bobbin serve.*--gateway <url>/,
      );
    },
  );

  test("that is no gateway of bobbin is told from one, and gets no more than was meant for it", async () => {
    const asked: string[] = [];
    using other = Bun.serve({
      port: 0,
      fetch({ url, headers }) {
        const { pathname } = new URL(url);
        asked.push(`${pathname} ${headers.get("authorization") === null ? "open" : "with a token"}`);
        if (pathname.startsWith("/moved")) return Response.redirect("/elsewhere", 307);
        if (pathname.startsWith("/html"))
          return new Response("<html>", { headers: { "content-type": "text/html" } });
        if (pathname.startsWith("/json")) return Response.json({ error: "no" }, { status: 404 });
        if (pathname.startsWith("/null")) return Response.json(null);
        return new Response("gone", { status: 502 });
      },
    });
    for (const what of ["moved", "html", "json", "null", "down"]) {
      for (const args of [["list"], ["reload", "a"]]) {
        const base = `${other.url}${what}`;
        const { status, stdout, stderr } = await plugin([...args, "--gateway", base], {
          JWT_SECRET: SECRET,
        });
        expect({ what, status, stdout }).toEqual({ what, status: 1, stdout: "" });
        expect(stderr).toMatch(/does not answer as bobbin's gateway does \(HTTP \d+\)\.\n.*--gateway <url>/);
        expect(stderr).toContain(base);
      }
    }
    expect(asked.filter((path) => path.startsWith("/elsewhere"))).toEqual([]);
    expect(asked).toContain("/html/plugins open");
    expect(asked).toContain("/html/plugins/a/reload with a token");

    await using bobbin = await startBinary();
    const { status, stderr } = await plugin(["list", "--gateway", bobbin.urls.registry]);
    expect(status).toBe(1);
    expect(stderr).toContain("does not answer as bobbin's gateway does");
  });

  test("whose answer has no end is left", async () => {
    using endless = Bun.serve({
      port: 0,
      fetch: () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(1 << 20).fill(32)),
          }),
        ),
    });
    const { status, stderr } = await plugin(["list", "--gateway", endless.url.origin]);
    expect(stderr).toContain("does not answer as bobbin's gateway does");
    expect(status).toBe(1);
  });
});

test("a token that is made of the secret is for the one plugin, and for a minute", async () => {
  const seen: (string | null)[] = [];
  using server = Bun.serve({
    port: 0,
    fetch({ headers }) {
      seen.push(headers.get("authorization"));
      return Response.json({});
    },
  });
  await plugin(["reload", "greeting", "--gateway", server.url.origin], {
    BOBBIN_JWT_SECRET: SECRET,
  });
  const [, payload = ""] = seen[0]?.split(".") ?? [];
  const { service, iat, exp } = JSON.parse(Buffer.from(payload, "base64url").toString());
  expect({ service, seconds: exp - iat }).toEqual({ service: "greeting", seconds: 60 });
});

test.each([
  [["list", "--gateway", "ftp://localhost"], {}, /--gateway ftp:\/\/localhost: give the URL/],
  [["list", "--gateway", "localhost:3000"], {}, /--gateway localhost:3000: give the URL/],
  [["reload", "a", "--gateway", "http://localhost?x=1"], {}, /--gateway/],
  [["list"], { GATEWAY_PORT: "0" }, /GATEWAY_PORT is 0.*--gateway/],
  [["list"], { GATEWAY_PORT: "many" }, /--gateway-port: "many".*GATEWAY_PORT/],
  [["enable", "a"], { BOBBIN_TOKEN: "two words" }, /BOBBIN_TOKEN/],
  [["check"], { PLUGIN_START_TIMEOUT: "soon" }, /PLUGIN_START_TIMEOUT: "soon"/],
  [["enable"], {}, /missing.*name/],
  [["reload", "a", "b"], {}, /too many/],
  [["frobnicate"], {}, /unknown command 'frobnicate'/],
  [["lst"], {}, /list/],
] as [string[], Record<string, string>, RegExp][])(
  "%j with %j is refused with status 2",
  async (args, env, hint) => {
    const { status, stdout, stderr } = await plugin(args, env);
    expect(stderr).toMatch(hint);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  },
);

test("the help of each command has an example", async () => {
  for (const command of ["list", "check", "enable", "disable", "reload"]) {
    const { status, stdout } = await plugin([command, "--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain(`$ bobbin plugin ${command}`);
  }
});
