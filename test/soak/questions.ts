/**
 * What clients ask the graph: the same few documents again and again, and documents that nobody asked before, of which
 * some are asked once more. Knows the stage's fields; a failure that a restart explains is none.
 */
import type { Activity } from "./activity.ts";
import type { Client } from "./client.ts";
import type { Restarts } from "./restarts.ts";
import type { Name, Stage } from "./stage.ts";

interface Question {
  readonly query: string;
  readonly asks: readonly Name[];
  readonly variables?: Record<string, unknown>;
}

const STEADY: readonly Question[] = [
  {
    query: "query($id: ID!) { product(id: $id) { id name price } }",
    asks: ["catalog"],
    variables: { id: "1" },
  },
  { query: "{ products(first: 20) { id name tags related { id } } }", asks: ["catalog"] },
  {
    query: "{ people(first: 5) { id name friends { name } } products(first: 3) { id } }",
    asks: ["people", "catalog"],
  },
  { query: "{ me { id name reviews { body author { name } } } }", asks: ["accounts", "reviews"] },
  { query: "{ topReviews(first: 5) { id body author { id name } } }", asks: ["reviews", "accounts"] },
];

const PARTS: readonly { readonly asks: readonly Name[]; readonly of: (n: number) => string }[] = [
  { asks: ["catalog"], of: (n) => `products(first: ${n}) { id name p${n}: price }` },
  { asks: ["catalog"], of: (n) => `product(id: "${n}") { id r${n}: related { id tags } }` },
  { asks: ["people"], of: (n) => `people(first: ${n}) { n${n}: name friends { id } }` },
  { asks: ["accounts", "reviews"], of: (n) => `me { i${n}: id reviews { body } }` },
  { asks: ["reviews"], of: (n) => `topReviews(first: ${n}) { b${n}: body }` },
];

let documents = 0;

function newQuestion(): Question {
  documents += 1;
  const parts = PARTS.filter(() => Math.random() < 0.5);
  if (parts.length === 0) parts.push(PARTS[0]!);
  const fields = parts.map(({ of }, i) => `a${documents}_${i}: ${of(1 + Math.floor(Math.random() * 9))}`);
  return { query: `query Q${documents} { ${fields.join(" ")} }`, asks: parts.flatMap(({ asks }) => asks) };
}

/** As many as the gateway's caches keep, and more; a clock could not fill them within the time that is not judged. */
const FILLING = 15_000;
const FILLING_AT_ONCE = 8;

/** Asks new documents until the caches are full: from then on each new one takes the place of another. */
export async function fillCaches({ bobbin }: Stage, client: Client): Promise<void> {
  let left = FILLING;
  const fill = async () => {
    while (left-- > 0) await client.ask(bobbin.urls.gateway, newQuestion().query);
  };
  await Promise.all(Array.from({ length: FILLING_AT_ONCE }, fill));
}

export function questions({ bobbin }: Stage, client: Client, restarts: Restarts): Activity[] {
  const { gateway } = bobbin.urls;
  const ask = async ({ query, asks, variables }: Question) => {
    const began = Date.now();
    const { errors } = await client.ask(gateway, query, variables);
    if (!errors || asks.some((name) => restarts.shook(name, began))) return;
    throw new Error(`${query.slice(0, 120)}: ${JSON.stringify(errors).slice(0, 300)}`);
  };
  let next = 0;
  return [
    { name: "steady question", everyMs: 25, act: () => ask(STEADY[next++ % STEADY.length]!) },
    {
      name: "new question",
      everyMs: 150,
      act: async () => {
        const question = newQuestion();
        for (let times = Math.random() < 0.3 ? 4 : 1; times > 0; times--) await ask(question);
      },
    },
  ];
}
