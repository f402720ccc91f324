/** Files in GraphQL requests: they reach the service that owns the field as they were sent, or nothing is done. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSchema, createYoga } from "graphql-yoga";
import { startApp, type TestApp } from "../support/app.ts";
import { answered, becomes, register } from "./graph.ts";

let app: TestApp;
const servers: Bun.Server<undefined>[] = [];
/** Content types of the mutations that each service got. */
const seen: Record<string, string[]> = { photos: [], texts: [] };

const typeDefs = (prefix: string, scalar: string) => `
  scalar ${scalar}
  type Query { ${prefix}Ready: Boolean }
  type Mutation {
    ${prefix}One(file: ${scalar}!): String
    ${prefix}Many(files: [${scalar}!]!, note: String): [String]
    ${prefix}Nested(input: ${prefix}Input!): String
  }
  input ${prefix}Input { title: String  inner: ${prefix}Input  cover: ${scalar}  pages: [${scalar}] }
`;

/** A file in words; a Yoga on Bun does not learn of its type. */
const told = async (file: File) =>
  `${file.name} ${Bun.hash(await file.arrayBuffer()).toString(36)} ${file.size}`;

interface Input {
  title?: string;
  inner?: Input;
  cover?: File;
  pages?: File[];
}

async function toldInput({ title, inner, cover, pages = [] }: Input): Promise<string> {
  const all = await Promise.all([...(cover ? [cover] : []), ...pages].map(told));
  return [title, ...all, ...(inner ? [await toldInput(inner)] : [])].join("|");
}

/** A service as people write it with Yoga. */
function startUploads(name: string, scalar: string) {
  const yoga = createYoga({
    logging: false,
    maskedErrors: false,
    schema: createSchema({
      typeDefs: typeDefs(name, scalar),
      resolvers: {
        Query: { [`${name}Ready`]: () => true },
        Mutation: {
          [`${name}One`]: (_: unknown, { file }: { file: File }) => told(file),
          [`${name}Many`]: (_: unknown, { files }: { files: File[] }) => files.map(told),
          [`${name}Nested`]: (_: unknown, { input }: { input: Input }) => toldInput(input),
        },
      },
    }),
  });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = await request.clone().text();
      if (body.includes("mutation")) {
        seen[name]?.push(request.headers.get("content-type") ?? "");
        bodies.push(body);
      }
      return yoga.fetch(request);
    },
  });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}` };
}
let bodies: string[] = [];

beforeAll(async () => {
  app = await startApp();
  for (const [name, scalar] of [
    ["photos", "File"],
    ["texts", "Upload"],
  ] as const) {
    await register(app, name, startUploads(name, scalar));
    await becomes(app, name, { composition: "COMPOSED" });
  }
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  for (const server of servers) await server.stop(true);
});

const HEADERS = { "graphql-require-preflight": "1" };

async function send(form: FormData, headers: Record<string, string> = HEADERS) {
  const response = await fetch(`${app.urls.gateway}/graphql`, { method: "POST", headers, body: form });
  return { status: response.status, ...((await response.json()) as { data?: unknown; errors?: Problem[] }) };
}

interface Problem {
  message: string;
  path?: unknown[];
  extensions: { code: string; service?: string };
}

function formOf(
  operations: unknown,
  map: Record<string, string[]> | string | undefined,
  files: Record<string, File>,
): FormData {
  const form = new FormData();
  if (operations !== undefined) form.append("operations", JSON.stringify(operations));
  if (map !== undefined) form.append("map", typeof map === "string" ? map : JSON.stringify(map));
  for (const [name, file] of Object.entries(files)) form.append(name, file);
  return form;
}

const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256);
const photo = new File([bytes, "\r\n--", bytes], "Größe & name.jpg", { type: "image/x-odd; quality=1.10" });
const empty = new File([], "empty.bin");
const text = new File(["hello\r\n"], "a.txt", { type: "text/markdown" });

const ONE = "mutation ($file: File!) { photosOne(file: $file) }";
const one = { query: ONE, variables: { file: null } };
const oneMap = { 0: ["variables.file"] };

test("a file arrives with its name, type and bytes", async () => {
  bodies = [];
  const { data, errors } = await send(formOf(one, oneMap, { 0: photo }));
  expect(errors).toBeUndefined();
  expect(data).toEqual({ photosOne: await told(photo) });
  expect(bodies[0]).toContain(`Content-Type: image/x-odd; quality=1.10`);
});

test("so do lists of files, empty ones, files in nested input objects, and one file at two places", async () => {
  const query = `mutation ($files: [File!]!, $input: photosInput!) {
    many: photosMany(files: $files, note: "n") nested: photosNested(input: $input)
  }`;
  const variables = {
    files: [null, null, null],
    input: { title: "t", inner: { title: "u", cover: null, pages: [null, null] } },
  };
  const map = {
    a: ["variables.files.0", "variables.input.inner.cover"],
    b: ["variables.files.1", "variables.input.inner.pages.1"],
    c: ["variables.files.2", "variables.input.inner.pages.0"],
  };
  const { data, errors } = await send(formOf({ query, variables }, map, { a: photo, b: empty, c: text }));
  expect(errors).toBeUndefined();
  const [a, b, c] = await Promise.all([photo, empty, text].map(told));
  expect(data).toEqual({ many: [a, b, c], nested: `t|u|${a}|${c}|${b}` });
});

test("a mutation with files for two services gives each its own, and JSON to one that gets none", async () => {
  seen.photos = [];
  seen.texts = [];
  bodies = [];
  const query = `mutation ($a: File!, $b: Upload!, $c: Upload!) {
    first: photosOne(file: $a) second: textsOne(file: $b) third: textsMany(files: [$c, $b]) last: textsNested(input: { title: "x" })
  }`;
  const map = { 0: ["variables.a"], 1: ["variables.b"], 2: ["variables.c"] };
  const variables = { a: null, b: null, c: null };
  const { data, errors } = await send(formOf({ query, variables }, map, { 0: photo, 1: text, 2: empty }));
  expect(errors).toBeUndefined();
  const [a, b, c] = await Promise.all([photo, text, empty].map(told));
  expect(data).toEqual({ first: a, second: b, third: [c, b], last: "x" });
  expect(seen.photos).toEqual([expect.stringMatching(/^multipart\/form-data; boundary=/)]);
  expect(seen.texts?.map((type) => type.split(";")[0])).toEqual([
    "multipart/form-data",
    "multipart/form-data",
    "application/json",
  ]);
  expect(bodies.filter((body) => body.includes(photo.name))).toHaveLength(1);
});

test("without a header that forces a preflight the form is refused, and no service hears of it", async () => {
  bodies = [];
  const body = formOf(one, oneMap, { 0: photo });
  const response = await fetch(`${app.urls.gateway}/graphql`, { method: "POST", body });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "PREFLIGHT_REQUIRED" } }] });
  expect(bodies).toEqual([]);
});

const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [String(i), empty]));
const wrong: [what: string, form: FormData][] = [
  ["no operations", formOf(undefined, oneMap, { 0: photo })],
  ["a list of operations", formOf([one], oneMap, { 0: photo })],
  ["a map that is a list", formOf(one, "[]", { 0: photo })],
  ["places that are no list", formOf(one, '{"0":"variables.file"}', { 0: photo })],
  ["places that are no texts", formOf(one, '{"0":[1]}', { 0: photo })],
  ["a file that is not there", formOf(one, { 1: ["variables.file"] }, {})],
  ["a file without a place", formOf(one, undefined, { 0: photo })],
  ["a place that is not there", formOf(one, { 0: ["variables.other"] }, { 0: photo })],
  ["a place outside the variables", formOf(one, { 0: ["query"] }, { 0: photo })],
  ["a place on the way to prototypes", formOf(one, { 0: ["variables.__proto__.file"] }, { 0: photo })],
  ["a place that holds something", formOf({ ...one, variables: { file: 1 } }, oneMap, { 0: photo })],
  [
    "a place for two files",
    formOf(one, { 0: ["variables.file"], 1: ["variables.file"] }, { 0: photo, 1: text }),
  ],
  [
    "more files than allowed",
    formOf(one, Object.fromEntries(Object.keys(many).map((name) => [name, ["variables.file"]])), many),
  ],
  ["more places than allowed", formOf(one, { 0: Array(101).fill("variables.file") }, { 0: photo })],
  ["a map longer than allowed", formOf(one, `{"0":["${"x".repeat(20_000)}"]}`, { 0: photo })],
  ["a file for operations", formOf(undefined, undefined, { operations: text })],
];
for (const [what, form] of wrong) {
  test(`a form with ${what} is refused with a code, and nothing is done`, async () => {
    bodies = [];
    const { status, data, errors } = await send(form);
    expect([status, errors?.[0]?.extensions.code]).toEqual([400, "GRAPHQL_REQUEST_INVALID"]);
    expect(data).toBeUndefined();
    expect(bodies).toEqual([]);
  });
}

test("a form with too many files is told how many it has, and how many a request takes", async () => {
  const map = Object.fromEntries(Object.keys(many).map((name) => [name, ["variables.file"]]));
  const { errors } = await send(formOf(one, map, many));
  expect(errors?.[0]?.message).toBe("The form has 21 files, and a request takes 20 at most.");
});

test("a body that is no form, breaks off or is no JSON inside is refused with a code", async () => {
  const part = (name: string, content: string) =>
    `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
  const bodiesSent: [string, string, string][] = [
    ["", "multipart/form-data; boundary=X", "GRAPHQL_REQUEST_INVALID"],
    ["x", "multipart/form-data", "GRAPHQL_REQUEST_INVALID"],
    [part("operations", JSON.stringify(one)), "multipart/form-data; boundary=X", "GRAPHQL_REQUEST_INVALID"],
    [`--X\r\n\r\n\r\n--X--`, "multipart/form-data; boundary=X", "GRAPHQL_REQUEST_INVALID"],
    [`${part("operations", "{")}--X--`, "multipart/form-data; boundary=X", "INVALID_JSON"],
    [`${part("x", "1").repeat(50)}--X--`, "multipart/form-data; boundary=X", "GRAPHQL_REQUEST_INVALID"],
  ];
  for (const [body, type, code] of bodiesSent) {
    const response = await fetch(`${app.urls.gateway}/graphql`, {
      method: "POST",
      headers: { ...HEADERS, "content-type": type },
      body,
    });
    const { errors } = (await response.json()) as { errors: Problem[] };
    expect([response.status, errors[0]?.extensions.code]).toEqual([400, code]);
  }
});

test("a body over the limit is refused with the name of the option", async () => {
  const large = new File([new Uint8Array(1_100_000)], "large.bin");
  const response = await fetch(`${app.urls.gateway}/graphql`, {
    method: "POST",
    headers: HEADERS,
    body: formOf(one, oneMap, { 0: large }),
  });
  expect(response.status).toBe(413);
  expect(await response.text()).toContain("BODY_LIMIT");
});

test("a form without files is a request like any other", async () => {
  const { data } = await send(formOf({ query: "{ photosReady }" }, undefined, {}));
  expect(data).toEqual({ photosReady: true });
});

test("a plugin takes no files, and says so at its field; the rest is done", async () => {
  await Bun.write(
    `${app.folder}/plugins/album.ts`,
    `import { definePlugin } from "bobbin";
     export default definePlugin({
       name: "album", version: "1.0.0",
       typeDefs: "scalar Picture type Query { albumReady: Boolean } type Mutation { keep(picture: Picture): String }",
       resolvers: { Query: { albumReady: () => true }, Mutation: { keep: () => "kept" } },
     });`,
  );
  await answered(app, "{ albumReady }");
  const query = "mutation ($a: Picture, $b: File!) { keep(picture: $a) photosOne(file: $b) }";
  const map = { 0: ["variables.a", "variables.b"] };
  const { data, errors } = await send(formOf({ query, variables: { a: null, b: null } }, map, { 0: text }));
  expect(data).toEqual({ keep: null, photosOne: await told(text) });
  expect(errors).toMatchObject([{ path: ["keep"], extensions: { code: "INVALID_INPUT", service: "album" } }]);
});
