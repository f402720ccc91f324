/** Programs written against the four functions as their documentation lists them run as they are, with Node. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { get, post, until } from "../support/client.ts";
import { start } from "./program.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** The one file of the user's own. */
const UTILITY = { "src/utils/service-discovery.js": `module.exports = require("bobbin/client");\n` };

const REGISTER = `const { registerService } = require('./src/utils/service-discovery');

// Register this service
registerService('my-service', \`http://localhost:\${PORT}\`, {
  version: '1.0.0',
  endpoints: {
    api: '/api/v1',
    health: '/health'
  }
});

// Handle graceful shutdown
process.on('SIGINT', async () => {
  await unregisterService('my-service');
  process.exit(0);
});
`;

const RESOLVE = `const { getServiceUrl } = require('./src/utils/service-discovery');

async function callOtherService() {
  try {
    // Dynamically resolve the service URL
    const serviceUrl = await getServiceUrl('other-service');
    
    // Make your API call
    const response = await fetch(\`\${serviceUrl}/api/endpoint\`);
    return response.json();
  } catch (error) {
    console.error('Failed to communicate with other-service:', error);
  }
}
`;

/** The two names that the first listing leaves out, and the server that it is part of. */
const AROUND = `
  const server = require("node:http").createServer((_request, response) => response.end("ok"));
  globalThis.unregisterService = require("./src/utils/service-discovery").unregisterService;
  globalThis.PORT = Number(process.env.PORT);
  server.listen(PORT, "127.0.0.1");`;

test.concurrent("the listing that registers: the service is there, healthy, and gone after SIGINT", async () => {
  const free = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = free;
  await free.stop(true);
  await using program = await start("register.js", REGISTER, {
    files: { ...UTILITY, "around.js": AROUND },
    flags: ["-r", "./around.js"],
    env: { SERVICE_REGISTRY_URL: app.urls.registry, PORT: String(port) },
  });
  const { body } = await until(
    () => get(`${app.urls.registry}/services/my-service`),
    ({ body }) => body.status === "ACTIVE",
  );
  expect(body).toMatchObject({
    url: `http://localhost:${port}`,
    version: "1.0.0",
    health: `http://localhost:${port}/health`,
    metadata: { endpoints: { api: "/api/v1" } },
  });
  program.kill("SIGINT");
  expect(await program.ended).toBe(0);
  expect(program).toMatchObject({ stdout: "", stderr: "" });
  expect((await get(`${app.urls.registry}/services/my-service`)).status).toBe(404);
});

test.concurrent("the listing that looks up: it calls the service that is registered, or says that there is none", async () => {
  const call = async () => {
    // The listing has a function and no call of it.
    const source = `${RESOLVE}\ncallOtherService().then((answer) => console.log(JSON.stringify(answer)));\n`;
    await using program = await start("resolve.js", source, {
      files: UTILITY,
      env: { SERVICE_REGISTRY_URL: app.urls.registry },
    });
    expect(await program.ended).toBe(0);
    return { stdout: program.stdout, stderr: program.stderr };
  };
  expect(await call()).toEqual({
    stdout: "undefined\n",
    stderr: expect.stringMatching(
      /^Failed to communicate with other-service: DiscoveryError: other-service: not reg/,
    ),
  });
  await using other = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => Response.json({ path: new URL(request.url).pathname }),
  });
  await post(`${app.urls.registry}/register`, {
    serviceName: "other-service",
    url: `http://127.0.0.1:${other.port}`,
  });
  expect(await call()).toEqual({ stdout: `{"path":"/api/endpoint"}\n`, stderr: "" });
});
