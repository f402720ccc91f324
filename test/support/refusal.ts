/** What a refusal over HTTP says. */
import { expect } from "bun:test";
import { ERROR_TABLE, type ErrorCode } from "../../src/errors.ts";

export interface Seen {
  status?: number;
  code: unknown;
}

/** The code and status of the answer, after a look at the form of the refusal; no code where it is none. */
export async function refused(url: string, init: RequestInit = {}): Promise<Seen> {
  const response = await fetch(url, init);
  const { status } = response;
  const body = (await response.json()) as Record<string, unknown> & {
    errors?: { extensions?: { code?: string } }[];
  };
  if (body.errors) return { status, code: body.errors[0]?.extensions?.code };
  if (response.ok) return { status, code: undefined };
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(body).toEqual({
    type: "about:blank",
    title: ERROR_TABLE[body.code as ErrorCode]?.[1],
    status,
    detail: expect.stringMatching(/./),
    code: expect.any(String),
  });
  return { status, code: body.code };
}
