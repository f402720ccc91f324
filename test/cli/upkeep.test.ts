/** `bobbin backup`, `restore` and `doctor` of the compiled binary: what they do to files, print and end with. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { BINARY, type RunningBinary, startBinary, tempFolder } from "../support/app.ts";
import { type Command, commandFor, onTerminal, placeOf } from "../support/bobbin-command.ts";
import { get, post } from "../support/client.ts";
import { run, toItsEnd } from "../support/command.ts";
import { writeFiles } from "../support/files.ts";
import { SECRET, token } from "../support/tokens.ts";

let bobbin: RunningBinary;
let command: Command;
const NOWHERE = { SERVICE_REGISTRY_PORT: "9", GATEWAY_PORT: "0", CORE_PORT: "0" };

beforeAll(async () => {
  bobbin = await startBinary();
  command = commandFor(bobbin);
  await register(bobbin, "kept");
});
afterAll(() => bobbin[Symbol.asyncDispose]());

const register = ({ urls }: Pick<RunningBinary, "urls">, serviceName: string) =>
  post(`${urls.registry}/register`, { serviceName, url: "http://127.0.0.1:9" });
const namesIn = (path: string) => {
  using database = new Database(path, { readonly: true });
  return database
    .query<{ name: string }, []>("SELECT name FROM service_registry ORDER BY name")
    .all()
    .map(({ name }) => name);
};

describe("backup", () => {
  test("of a running bobbin has all that was answered, and is left alone without --force", async () => {
    const made = await command(["backup", "copy.db"]);
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(made.stdout).toMatch(
      /^backed up 1 service \(\S+ KB\) from the bobbin at http:\/\/localhost:\d+ to copy\.db\n$/,
    );
    const copy = join(bobbin.folder, "copy.db");
    expect(namesIn(copy)).toEqual(["core", "kept"]);

    const before = await stat(copy);
    expect(await command(["backup", "copy.db"])).toEqual({
      status: 1,
      stdout: "",
      stderr: "copy.db is there already, and stays as it is; --force replaces it.\n",
    });
    expect((await stat(copy)).ino).toBe(before.ino);
    await register(bobbin, "later");
    expect((await command(["backup", "copy.db", "--force"])).status).toBe(0);
    expect(namesIn(copy)).toEqual(["core", "kept", "later"]);
    await post(`${bobbin.urls.registry}/unregister`, { serviceName: "later" });
    // Neither the command nor the server leaves anything.
    expect((await readdir(bobbin.folder)).sort()).toEqual(["copy.db", "data"]);
    expect((await readdir(join(bobbin.folder, "data"))).filter((name) => name.includes("backup"))).toEqual(
      [],
    );
  });

  test("to standard output has all of it there, or says that it has not, and leaves no copy behind", async () => {
    await using folder = await tempFolder();
    const tmp = join(folder.path, "tmp");
    await writeFiles(folder.path, { "tmp/other": "stays" });
    const env = { PATH: process.env.PATH ?? "", TMPDIR: tmp, ...placeOf(bobbin) };
    const shell = (line: string) => toItsEnd(["bash", "-c", line, BINARY], { folder: folder.path, env });
    const made = await shell('"$0" backup - > copy.db');
    expect(made).toEqual({
      status: 0,
      stdout: "",
      stderr: expect.stringMatching(
        /^backed up 1 service \(.*\) from the bobbin at .* to standard output\n$/,
      ),
    });
    expect(namesIn(join(folder.path, "copy.db"))).toEqual(["core", "kept"]);
    expect((await run(["restore", "copy.db"], { folder: folder.path, env: NOWHERE })).status).toBe(0);

    const left = await shell('set -o pipefail; "$0" backup - | true');
    expect(left).toEqual({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(/^The backup is not whole: .*\n$/),
    });
    const refused = await shell('"$0" backup - --registry http://127.0.0.1:9');
    expect(refused).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("refused") });
    expect(await readdir(tmp)).toEqual(["other"]);
    expect(await readdir(folder.path)).not.toContain("-");
  });

  test("to a terminal is refused", async () => {
    const text = await onTerminal(["backup", "-"], 200, placeOf(bobbin));
    expect(text).toMatch(/^A database is nothing for a terminal: name a file, or .*\r\n$/);
  });

  test("needs the token of writes, one for all services", async () => {
    await using guarded = await startBinary({ env: { JWT_SECRET: SECRET } });
    const at = commandFor(guarded);
    expect((await at(["backup", "copy.db"])).stderr).toContain("UNAUTHENTICATED");
    const one = await token({ claims: { service: "kept" } });
    expect((await at(["backup", "copy.db", "--token", one])).stderr).toContain("FORBIDDEN");
    expect(await readdir(guarded.folder)).toEqual(["data"]);
    expect((await at(["backup", "copy.db", "--token", await token()])).status).toBe(0);
  });

  test("of the file, where none runs, has what a crash left in the log", async () => {
    await using folder = await tempFolder();
    await using crashed = await startBinary({ folder: folder.path });
    await register(crashed, "written");
    await crashed.stop("SIGKILL");
    const made = await run(["backup", "copy.db"], { folder: folder.path, env: NOWHERE });
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(made.stdout).toContain("from ./data/bobbin.db to copy.db");
    expect(namesIn(join(folder.path, "copy.db"))).toEqual(["core", "written"]);
  });

  test.each([
    [[], /Nothing was backed up: there is no file \.\/data\/bobbin\.db/],
    [["--registry", "http://127.0.0.1:9"], /http:\/\/127\.0\.0\.1:9: connection refused/],
  ])("with nothing to copy says so (%j)", async (flags, hint) => {
    await using folder = await tempFolder();
    const { status, stderr } = await run(["backup", "copy.db", ...flags], {
      folder: folder.path,
      env: NOWHERE,
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(hint);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("of a file that a bobbin elsewhere has open says how", async () => {
    const env = { ...NOWHERE, DATABASE_URL: `file:${bobbin.folder}/data/bobbin.db` };
    const { status, stderr } = await run(["backup", "x.db"], { folder: bobbin.folder, env });
    expect(status).toBe(1);
    expect(stderr).toMatch(/a running bobbin has .* open; say with --registry <url>/);
  });

  test.each([["backup"], ["restore"]])("and restore leave a remote database to itself (%s)", async (verb) => {
    const env = { DATABASE_URL: "libsql://db.example" };
    const { status, stderr } = await run([verb, "copy.db"], { env });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining("remote database") });
  });
});

describe("restore", () => {
  test("brings back what was, keeps what is, and only while none runs", async () => {
    await using folder = await tempFolder();
    const at = { folder: folder.path, env: NOWHERE };
    await using first = await startBinary({ folder: folder.path });
    await register(first, "then");
    expect((await commandFor(first)(["backup", "then.db"])).status).toBe(0);
    await register(first, "since");
    const refused = await run(["restore", "then.db"], at);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/Nothing was restored: a running bobbin has .* open; end it first/);
    // Killed, so that what it wrote last is in the log beside the file.
    await first.stop("SIGKILL");

    const restored = await run(["restore", "then.db"], at);
    expect(restored).toMatchObject({ status: 0, stderr: "" });
    const [said, kept = ""] = restored.stdout.trimEnd().split("\n");
    expect(said).toMatch(/^restored 1 service \(.*\) from then\.db to \.\/data\/bobbin\.db$/);
    const [, old = ""] = /^what was there before is (.*\.before-restore-.*)$/.exec(kept) ?? [];
    expect(namesIn(join(folder.path, old))).toEqual(["core", "since", "then"]);
    await using second = await startBinary({ folder: folder.path });
    const { services } = (await get(`${second.urls.registry}/services`)).body;
    expect(services.map((each: { serviceName: string }) => each.serviceName).sort()).toEqual([
      "core",
      "then",
    ]);
  });

  test("replaces a damaged database, and makes one where there is none", async () => {
    await using folder = await tempFolder();
    await command(["backup", join(folder.path, "copy.db")]);
    const at = { folder: folder.path, env: NOWHERE };
    expect((await run(["restore", "copy.db"], at)).stdout.split("\n")).toHaveLength(2);
    await writeFiles(folder.path, { "data/bobbin.db": "x".repeat(5000), "data/bobbin.db-wal": "y" });
    expect((await run(["restore", "copy.db"], at)).status).toBe(0);
    expect(namesIn(join(folder.path, "data/bobbin.db"))).toContain("kept");
    expect((await readdir(join(folder.path, "data"))).join()).toContain("bobbin.db.before-restore-");
  });

  test("takes nothing but a whole database of a version that it knows", async () => {
    await using folder = await tempFolder();
    const at = { folder: folder.path, env: NOWHERE };
    await command(["backup", join(folder.path, "newer.db")]);
    {
      using newer = new Database(join(folder.path, "newer.db"));
      newer.run("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)");
      using other = new Database(join(folder.path, "other.db"));
      other.run("CREATE TABLE a (b)");
    }
    await writeFiles(folder.path, { "text.db": "no database at all, whatever its name says" });
    for (const [file, hint] of [
      ["missing.db", /there is no file missing\.db/],
      ["text.db", /text\.db is no usable database/],
      ["other.db", /other\.db is a database, but not of bobbin/],
      ["newer.db", /newer\.db was written by another version/],
    ] as const) {
      const { status, stdout, stderr } = await run(["restore", file], at);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(hint);
    }
    expect((await readdir(folder.path)).sort()).toEqual(["newer.db", "other.db", "text.db"]);
  });
});

describe("doctor", () => {
  interface Finding {
    check: string;
    status: string;
    message: string;
    advice?: string;
  }
  const findings = (text: string) =>
    new Map((JSON.parse(text).checks as Finding[]).map((each) => [each.check, each]));

  test("finds a running bobbin well", async () => {
    const { status, stdout, stderr } = await command(["doctor"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const line of [
      /^ok +version +bobbin \d/m,
      /^ok +port \d+ +gateway: a bobbin answers$/m,
      /^ok +port \d+ +core: a bobbin answers$/m,
      /^ok +port \d+ +registry: a bobbin answers$/m,
      /^ok +database +\.\/data\/bobbin\.db, .* is open in a running bobbin$/m,
      /^(ok|warn) +disk +\d/m,
      /^ok +temp folder +/m,
      /^(ok|warn) +open files +/m,
      /^ok +clock +\d{4}-.*Z, as the registry's$/m,
      /^ok +plugins +\.\/plugins is not there/m,
    ])
      expect(stdout).toMatch(line);
  });

  test("finds the second bobbin on one database without it", async () => {
    await using second = await startBinary({ folder: bobbin.folder });
    const { status, stdout } = await commandFor(second)(["doctor", "--json"]);
    expect(status).toBe(1);
    const found = findings(stdout);
    expect(found.get("database")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("is open in a running bobbin, which cannot use it"),
      advice: expect.stringContaining("writes are refused"),
    });
    expect(found.get("clock")).toMatchObject({ message: expect.stringContaining("as the registry's") });
  });

  test("says of each thing that is in the way what to do", async () => {
    await using folder = await tempFolder();
    await writeFiles(folder.path, { "data/bobbin.db": "x".repeat(5000), plugins: "a file", tmp: "a file" });
    const { port: taken } = new URL(bobbin.urls.core);
    using other = Bun.serve({ port: 0, hostname: "localhost", fetch: () => new Response() });
    const env = { GATEWAY_PORT: taken, CORE_PORT: String(other.port), SERVICE_REGISTRY_PORT: "0" };
    const { status, stdout } = await run(["doctor", "--json"], {
      folder: folder.path,
      env: { ...env, BUN_TMPDIR: "/proc/nowhere" },
    });
    expect(status).toBe(1);
    const found = findings(stdout);
    expect(found.get(`port ${taken}`)).toMatchObject({
      status: "fail",
      message: "gateway: held by the core of a bobbin",
      advice: expect.stringContaining("--gateway-port"),
    });
    expect(found.get(`port ${other.port}`)).toMatchObject({
      status: "fail",
      message: expect.stringMatching(/^core: held by \S/),
    });
    expect(found.get("port 0")).toMatchObject({ status: "ok" });
    expect(found.get("database")).toMatchObject({
      status: "fail",
      advice: expect.stringContaining("bobbin restore"),
    });
    expect(found.get("temp folder")).toMatchObject({
      status: "fail",
      advice: expect.stringContaining("BUN_TMPDIR"),
    });
    expect(found.get("plugins")).toMatchObject({
      status: "fail",
      message: expect.stringContaining("ENOTDIR"),
    });
    const { stdout: text } = await run(["doctor"], { folder: folder.path, env });
    expect(text).toMatch(/^fail +database .*\n {6}Restore a backup/m);
  });

  test("looks at a database that none has open, whole", async () => {
    await using folder = await tempFolder();
    await command(["backup", join(folder.path, "copy.db")]);
    const flags = ["--json", "--database-url", "file:copy.db"];
    const { stdout } = await run(["doctor", ...flags], { folder: folder.path, env: NOWHERE });
    expect(findings(stdout).get("database")).toMatchObject({
      status: "ok",
      message: expect.stringMatching(/^copy\.db is whole, .*, 1 services?$/),
    });
  });

  test("says that a remote database does not answer", async () => {
    const env = { ...NOWHERE, SERVICE_REGISTRY_PORT: "0", DATABASE_URL: "http://user:hunter2@127.0.0.1:9" };
    const { status, stdout } = await run(["doctor"], { env });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^fail +database +http:\/\/…@127\.0\.0\.1:9: /m);
    expect(stdout).not.toContain("hunter2");
  });
});
