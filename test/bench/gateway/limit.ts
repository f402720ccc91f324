/**
 * As little as can be done to answer the market's five questions in this runtime: each by code that was written for it,
 * with the requests that it takes and nothing of GraphQL. A process of its own, started with the services' URLs.
 */
import { HttpClient } from "../../../src/gateway/remote/http/http-client.ts";
import { targetOf } from "../../../src/gateway/remote/http/target.ts";
import { QUESTIONS, type ServiceName, type Urls } from "./market.ts";

const urls = JSON.parse(process.argv[2] ?? "") as Urls;
const client = new HttpClient();
const HEADERS = { "content-type": "application/json", accept: "application/json" };
const targets = Object.fromEntries(
  Object.entries(urls).map(([name, url]) => [name, targetOf(url, HEADERS)]),
) as Record<ServiceName, ReturnType<typeof targetOf>>;

type Variables = Readonly<Record<string, unknown>>;

/** The answer's bytes. */
async function ask(name: ServiceName, query: string, variables: Variables): Promise<Buffer<ArrayBuffer>> {
  const { body } = await client.post(targets[name], {
    headers: {},
    body: JSON.stringify({ query, variables }),
    deadlineMs: 10_000,
    maxBytes: 1e6,
    isRepeatable: true,
  });
  return body;
}

interface Person {
  id: string;
  name: string;
  town: string;
}

interface Opinion {
  text: string;
  stars: number;
  author: { id: string };
  good: { id: string };
}

interface Good {
  id: string;
  title: string;
  price: number;
}

async function dataOf<T>(name: ServiceName, query: string, variables: Variables): Promise<T> {
  return JSON.parse((await ask(name, query, variables)).toString()).data;
}

const byId = <T extends { id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]));
const unique = (ids: Iterable<string>) => [...new Set(ids)];

const TEAM = "query($number: Int!) { team(number: $number) { id name } }";
const PERSON_OPINIONS =
  "query($ids: [ID!]!) { peopleWithOpinions(ids: $ids) { id opinions { stars good { id } } } }";
const GOOD_OPINIONS =
  "query($ids: [ID!]!) { goodsWithOpinions(ids: $ids) { id opinions { text author { id } } } }";
const STOCK = "query($ids: [ID!]!) { goodsInStock(ids: $ids) { id left } }";
const TITLES = "query($ids: [ID!]!) { goodsByIds(ids: $ids) { id title } }";
const PRICES = "query($ids: [ID!]!) { goodsByIds(ids: $ids) { id title price } }";
const NAMES = "query($ids: [ID!]!) { peopleByIds(ids: $ids) { id name town } }";

type WithOpinions = { id: string; opinions: Opinion[] };

async function teamOf(variables: Variables) {
  const { team } = await dataOf<{ team: Person[] }>("people", TEAM, variables);
  const { peopleWithOpinions } = await dataOf<{ peopleWithOpinions: WithOpinions[] }>(
    "opinions",
    PERSON_OPINIONS,
    { ids: unique(team.map(({ id }) => id)) },
  );
  const opinions = byId(peopleWithOpinions);
  const ids = unique(peopleWithOpinions.flatMap(({ opinions }) => opinions.map(({ good }) => good.id)));
  const told = <T>(make: (opinion: Opinion) => T) =>
    team.map(({ id, name }) => ({ name, opinions: opinions.get(id)?.opinions.map(make) }));
  return { ids, told };
}

const goodsOf = async (query: string, ids: string[]) =>
  byId((await dataOf<{ goodsByIds: Good[] }>("goods", query, { ids })).goodsByIds);
const stockOf = async (ids: string[]) =>
  byId(
    (await dataOf<{ goodsInStock: { id: string; left: number }[] }>("stock", STOCK, { ids })).goodsInStock,
  );
const opinionsOn = async (ids: string[]) =>
  (await dataOf<{ goodsWithOpinions: WithOpinions[] }>("opinions", GOOD_OPINIONS, { ids })).goodsWithOpinions;

async function join(variables: Variables): Promise<string> {
  const { ids, told } = await teamOf(variables);
  const [goods, stock] = await Promise.all([goodsOf(PRICES, ids), stockOf(ids)]);
  const team = told(({ stars, good: { id } }) => {
    const { title, price } = goods.get(id) as Good;
    return { stars, good: { title, price, left: stock.get(id)?.left } };
  });
  return JSON.stringify({ data: { team } });
}

async function deep(variables: Variables): Promise<string> {
  const { ids, told } = await teamOf(variables);
  const [goods, stock, thoughts] = await Promise.all([goodsOf(TITLES, ids), stockOf(ids), opinionsOn(ids)]);
  const authorIds = unique(thoughts.flatMap(({ opinions }) => opinions.map(({ author }) => author.id)));
  const { peopleByIds } = await dataOf<{ peopleByIds: Person[] }>("people", NAMES, { ids: authorIds });
  const authors = new Map(peopleByIds.map(({ id, name, town }) => [id, { name, town }]));
  const opinions = new Map(
    thoughts.map(({ id, opinions }) => [
      id,
      opinions.map(({ text, author }) => ({ text, author: authors.get(author.id) })),
    ]),
  );
  const team = told(({ stars, good: { id } }) => ({
    stars,
    good: { title: goods.get(id)?.title, left: stock.get(id)?.left, opinions: opinions.get(id) },
  }));
  return JSON.stringify({ data: { team } });
}

const PERSON = "query($id: ID!) { person(id: $id) { name born } }";
const OFFERS = "query($number: Int!) { offers(number: $number) { title price } }";

/** The fields of an answer's data as text. */
const fieldsOf = (answer: Buffer) => answer.toString().slice('{"data":{'.length, -"}}".length);

async function two({ id, number }: Variables): Promise<string> {
  const [person, offers] = await Promise.all([
    ask("people", PERSON, { id }),
    ask("goods", OFFERS, { number }),
  ]);
  return `{"data":{${fieldsOf(person)},${fieldsOf(offers)}}}`;
}

const handlers = new Map<string, (variables: Variables) => Promise<string | Buffer<ArrayBuffer>>>([
  [QUESTIONS.one.query, (variables) => ask("people", QUESTIONS.one.query, variables)],
  [QUESTIONS.list.query, (variables) => ask("goods", QUESTIONS.list.query, variables)],
  [QUESTIONS.two.query, two],
  [QUESTIONS.join.query, join],
  [QUESTIONS.deep.query, deep],
]);

const { port } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const { query, variables } = JSON.parse(await request.text());
    const answer = await handlers.get(query)?.(variables);
    return new Response(answer, { headers: { "content-type": "application/json" } });
  },
});
process.send?.(port);
