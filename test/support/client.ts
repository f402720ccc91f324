/** Small clients for the doors, and waiting for what comes about by itself. */

export interface GraphQLAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's matter
  data?: any;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
}

/** A GraphQL request as any client sends it. `url` is a door's base URL or a whole endpoint. */
export async function graphql(
  url: string,
  query: string,
  variables?: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<GraphQLAnswer> {
  const response = await fetch(url.endsWith("/graphql") ? url : `${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, ...(variables ? { variables } : {}) }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

export interface RestAnswer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the test's matter
  body: any;
}

export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RestAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export async function get(url: string, headers: Record<string, string> = {}): Promise<RestAnswer> {
  const response = await fetch(url, { headers });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/**
 * Asks again and again until the answer is what is waited for. The bound is for tests that hang, not for speed: it is
 * far above what a slow machine needs.
 */
export async function until<T>(
  ask: () => T | Promise<T>,
  isIt: (answer: T) => boolean,
  boundMs = 20_000,
): Promise<T> {
  const end = Date.now() + boundMs;
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) return answer;
    if (Date.now() > end)
      throw new Error(`waited in vain; the last answer: ${JSON.stringify(answer)?.slice(0, 2000)}`);
    await Bun.sleep(10);
  }
}
