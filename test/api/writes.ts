/** Every write of every door, so that a rule for writes can be tried on all of them. */
import type { TestApp } from "../support/app.ts";

export interface Refusal {
  status: number;
  code: string | undefined;
}

export interface Write {
  readonly name: string;
  /** Whether it is about the service `orders`. */
  readonly isOfService: boolean;
  send(headers?: Record<string, string | undefined>): Promise<Refusal>;
}

export const ORDERS_URL = "http://127.0.0.1:9/graphql";

/** `app` has to have the core's mutations in its graph, and the service `orders`. */
export function writesOf({ urls }: TestApp): Write[] {
  const rest = (path: string, body: object): Write => ({
    name: `POST ${path}`,
    isOfService: true,
    send: (headers) => ask(`${urls.registry}${path}`, body, headers),
  });
  const mutation = (door: "core" | "gateway", field: string): Write => ({
    name: `${field.split("(")[0]} on the ${door}`,
    isOfService: true,
    send: (headers) => ask(`${urls[door]}/graphql`, { query: `mutation { it: ${field} { name } }` }, headers),
  });
  const whole = (door: "gateway" | "registry", path: string, body?: object): Write => ({
    name: `POST ${path}`,
    isOfService: false,
    send: (headers) => ask(`${urls[door]}${path}`, body, headers),
  });
  const mutations = [
    `registerService(input: { name: "orders", url: "${ORDERS_URL}" })`,
    'updateService(name: "orders", input: { version: "1" })',
    'unregisterService(name: "orders")',
  ];
  return [
    rest("/register", { serviceName: "orders", url: ORDERS_URL }),
    rest("/heartbeat", { serviceName: "orders", url: ORDERS_URL }),
    rest("/unregister", { serviceName: "orders" }),
    ...mutations.map((field) => mutation("core", field)),
    ...mutations.map((field) => mutation("gateway", field)),
    whole("gateway", "/gateway/reload"),
    whole("gateway", "/gateway/compose", { sdl: "type Query { tried: Int }" }),
    whole("registry", "/backup"),
  ];
}

async function ask(
  url: string,
  body: object | undefined,
  headers: Record<string, string | undefined> = {},
): Promise<Refusal> {
  const given = Object.entries({ "content-type": body && "application/json", ...headers });
  const response = await fetch(url, {
    method: "POST",
    headers: given.filter((entry): entry is [string, string] => entry[1] !== undefined),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  // A backup is no JSON.
  const { code, errors } = (await response.json().catch(() => ({}))) as {
    code?: string;
    errors?: { extensions?: { code?: string } }[];
  };
  return { status: response.status, code: code ?? errors?.[0]?.extensions?.code };
}
