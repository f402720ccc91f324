/** The description of the REST API: what it lists is what is there, and what is there is listed. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get } from "../support/client.ts";

let app: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: a document to be looked into
let description: any;
beforeAll(async () => {
  app = await startApp();
  description = (await get(`${app.urls.registry}/openapi.json`)).body;
});
afterAll(() => app[Symbol.asyncDispose]());

const operations = () =>
  Object.entries(description.paths as Record<string, Record<string, object>>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );

test("lists every call and no other", () => {
  expect(operations().sort()).toEqual([
    "GET /events",
    "GET /health",
    "GET /services",
    "GET /services/{serviceName}",
    "POST /backup",
    "POST /heartbeat",
    "POST /register",
    "POST /unregister",
  ]);
});

test("is a document of OpenAPI 3.1 with what that demands", () => {
  expect(description.openapi).toMatch(/^3\.1\./);
  expect(description.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(description.paths as Record<string, object>)) {
    // biome-ignore lint/suspicious/noExplicitAny: a document to be looked into
    for (const operation of Object.values(methods) as any[]) {
      ids.add(operation.operationId);
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^[1-5]\d\d$/);
        expect(response).toMatchObject({ description: expect.any(String) });
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = (operation.parameters ?? [])
        .filter(
          (parameter: { in: string; required: boolean }) => parameter.in === "path" && parameter.required,
        )
        .map(({ name }: { name: string }) => name);
      expect(described).toEqual(inPath);
    }
  }
  expect(ids.size).toBe(operations().length);
  expect(JSON.stringify(description)).not.toContain("$ref");
});

test("has the schema of each body, and JSON as its only type", () => {
  const bodyOf = (path: string) => description.paths[path].post.requestBody;
  for (const path of ["/register", "/unregister", "/heartbeat"]) {
    expect(Object.keys(bodyOf(path).content)).toEqual(["application/json"]);
    expect(bodyOf(path).required).toBe(true);
  }
  const schemaOf = (path: string) => bodyOf(path).content["application/json"].schema;
  expect(schemaOf("/register").required).toEqual(["serviceName", "url"]);
  expect(Object.keys(schemaOf("/register").properties).sort()).toEqual(
    "dependencies description displayName health isRequired metadata ready serviceName tags ttl url version".split(
      " ",
    ),
  );
  expect(schemaOf("/register").properties).toMatchObject({
    serviceName: { type: "string" },
    metadata: { type: ["object", "null"] },
    tags: { type: ["array", "null"], items: { type: "string" } },
    ttl: { minimum: 1, maximum: 86_400 },
  });
  expect(schemaOf("/unregister").required).toEqual(["serviceName"]);
  expect(schemaOf("/heartbeat").required).toEqual(["serviceName", "url"]);
});
