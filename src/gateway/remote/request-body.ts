/**
 * The body of a GraphQL request to a service: JSON, or a multipart form where files are among the variables, as the
 * GraphQL multipart request specification has it. Knows HTTP's bodies; nothing of services.
 */

export interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** Form bodies are taken by many servers only with one of these, which a web page cannot send unasked. */
export const FORM_HEADERS = { "graphql-preflight": "1", "apollo-require-preflight": "true" } as const;

export function requestBody({ query, variables = {} }: Operation): string | FormData {
  const places = new Map<File, string[]>();
  const withoutFiles = extract(variables, "variables", places) as Record<string, unknown>;
  const operations = JSON.stringify({
    query,
    ...(Object.keys(withoutFiles).length > 0 ? { variables: withoutFiles } : {}),
  });
  if (places.size === 0) return operations;
  const form = new FormData();
  const files = [...places.keys()];
  form.append("operations", operations);
  form.append("map", JSON.stringify(Object.fromEntries([...places.values()].map((paths, i) => [i, paths]))));
  for (const [i, file] of files.entries()) form.append(String(i), file, file.name);
  return form;
}

export function holdsFile(value: unknown): boolean {
  const places = new Map<File, string[]>();
  extract(value, "", places);
  return places.size > 0;
}

/** The value with null for each file, whose place is noted: one file may have several. */
function extract(value: unknown, path: string, places: Map<File, string[]>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof File) {
    places.set(value, [...(places.get(value) ?? []), path]);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, i) => extract(item, `${path}.${i}`, places));
  // Numbers that are kept as they are written, and whatever else says itself how it is printed.
  if ("toJSON" in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, extract(item, `${path}.${key}`, places)]),
  );
}
