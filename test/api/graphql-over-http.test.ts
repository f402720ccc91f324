/** GraphQL over HTTP on both GraphQL doors: the public audits, and the ways around them that a page could take. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { serverAudits } from "graphql-http";
import { startApp, type TestApp } from "../support/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

describe.each(["gateway", "core"] as const)("the audit of the %s", (door) => {
  // The audits are listed before the doors are open, so their URL is asked for late.
  const audits = serverAudits({ url: async () => `${app.urls[door]}/graphql`, fetchFn: fetch });

  test("has not shrunk", () => expect(audits.length).toBe(61));

  test.each(audits.map(({ id, name, fn }) => [id, name, fn] as const))("%s %s", async (_id, _name, run) => {
    const result = await run();
    expect("reason" in result ? result.reason : result.status).toBe("ok");
  });
});

test("a browser gets GraphiQL, from the gateway's root too", async () => {
  for (const door of ["gateway", "core"] as const) {
    const response = await fetch(app.urls[door], { headers: { accept: "text/html" } });
    expect(new URL(response.url).pathname).toBe("/graphql");
    expect(response.headers.get("content-type")).toContain("text/html");
    const page = await response.text();
    expect(page).toContain("GraphiQL");
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
  }
});

test("a body that a page could send unasked needs a header that it could not send", async () => {
  const url = `${app.urls.gateway}/graphql`;
  const form = new FormData();
  form.set("operations", JSON.stringify({ query: "{ __typename }" }));
  form.set("map", "{}");
  const bodies: [string, () => RequestInit][] = [
    ["form", () => ({ body: new URLSearchParams({ query: "{ __typename }" }) })],
    ["multipart", () => ({ body: form })],
    ["text", () => ({ body: '{"query":"{ __typename }"}', headers: { "content-type": "text/plain" } })],
    ["TEXT", () => ({ body: '{"query":"{ __typename }"}', headers: { "content-type": "Text/Plain;a=b" } })],
    ["untyped", () => ({ body: new Blob(['{"query":"{ __typename }"}']) })],
  ];
  for (const [name, init] of bodies) {
    const { status, ...response } = await answer(fetch(url, { method: "POST", ...init() }));
    expect({ name, status, code: response.errors?.[0]?.extensions?.code }).toEqual({
      name,
      status: 403,
      code: "PREFLIGHT_REQUIRED",
    });
  }
  for (const header of ["graphql-require-preflight", "apollo-require-preflight"]) {
    for (const [, init] of bodies.slice(0, 2)) {
      const asked = await answer(fetch(url, { method: "POST", ...init(), headers: { [header]: "1" } }));
      expect(asked).toEqual({ status: 200, data: { __typename: "Query" } });
    }
  }
});

test("a mutation by GET is refused on both doors", async () => {
  const query = 'mutation { registerService(input: { name: "got", url: "http://127.0.0.1:9" }) { id } }';
  const core = await answer(fetch(`${app.urls.core}/graphql?${new URLSearchParams({ query })}`));
  expect(core).toMatchObject({ status: 405, errors: [{ extensions: { code: "METHOD_NOT_ALLOWED" } }] });
  await using mutable = await startApp({ config: { coreMutationsInGraph: true } });
  const url = `${mutable.urls.gateway}/graphql?${new URLSearchParams({ query })}`;
  expect(await answer(fetch(url))).toMatchObject({
    status: 405,
    errors: [{ extensions: { code: "METHOD_NOT_ALLOWED" } }],
  });
});

interface Answer {
  status: number;
  data?: object;
  errors?: { extensions?: { code?: string } }[];
}

async function answer(asked: Promise<Response>): Promise<Answer> {
  const response = await asked;
  return { status: response.status, ...((await response.json()) as object) };
}
